//! How what is ahead is said.

use super::{Ahead, Foreseen};
use crate::{Language, Text, clock_set, fold::Fold};

/// What comes and when, in a sentence.
pub(super) fn words(what: &Ahead, foreseen: &Foreseen, fold: &Fold) -> Text {
    let local = foreseen.at.to_zoned(fold.after.configuration.site.time_zone.clone());
    let (day, month) = (local.day(), local.date());
    let on = |language: Language| format!("{day} {} {}", language.month(month), local.year());
    let (en, cy) = (on(Language::En), on(Language::Cy));
    match what {
        Ahead::Clock => clock_set::words(fold),
        Ahead::Certificate(fingerprint) => Text::new(
            format!("The certificate ends on {en}: it has to be renewed before (SHA-256 {fingerprint})."),
            format!("Daw’r dystysgrif i ben ar {cy}: rhaid ei hadnewyddu cyn hynny (SHA-256 {fingerprint})."),
        ),
        Ahead::OwnCertificate(_) if foreseen.affects.is_empty() => Text::new(
            format!(
                "The certificate with which Curiad signs in at the service desk ends on {en}: after that the desk takes no ticket from Curiad."
            ),
            format!(
                "Daw’r dystysgrif y mae Curiad yn mewngofnodi â hi yn y ddesg gwasanaeth i ben ar {cy}: wedi hynny ni fydd y ddesg yn derbyn tocyn gan Curiad."
            ),
        ),
        Ahead::OwnCertificate(_) => Text::new(
            format!(
                "Curiad’s own certificate ends on {en}: after that nothing can be told of what asks for it."
            ),
            format!(
                "Daw tystysgrif Curiad ei hun i ben ar {cy}: wedi hynny ni ellir dweud dim am yr hyn sy’n gofyn amdani."
            ),
        ),
        Ahead::OwnSecret(reference) => Text::new(
            format!(
                "Curiad’s own secret {reference} ends on {en}: after that whoever it is shown to turns Curiad away."
            ),
            format!(
                "Daw cyfrinach Curiad ei hun {reference} i ben ar {cy}: wedi hynny bydd pwy bynnag y’i dangosir iddo yn gwrthod Curiad."
            ),
        ),
        Ahead::Sunset(_) if foreseen.at <= fold.now => Text::new(
            format!(
                "By its own answers it was to be gone on {en} (Sunset), and it still answers: it has to be taken away, or given another date."
            ),
            format!(
                "Yn ôl ei atebion ei hun roedd i fod wedi mynd ar {cy} (Sunset), ac mae’n dal i ateb: rhaid ei dynnu ymaith, neu roi dyddiad arall iddo."
            ),
        ),
        Ahead::Sunset(_) => Text::new(
            format!(
                "Its own answers say that it is gone on {en} (Sunset): whoever still uses it has to move."
            ),
            format!(
                "Mae ei atebion ei hun yn dweud y bydd wedi mynd ar {cy} (Sunset): rhaid i bwy bynnag sy’n dal i’w ddefnyddio symud."
            ),
        ),
        Ahead::Rota(rota) => {
            let time = local.strftime("%H:%M %Z");
            Text::new(
                format!("Nobody is on call on the rota {rota} from {en}, {time}."),
                format!("Nid oes neb ar alw ar y rota {rota} o {cy}, {time}."),
            )
        }
        Ahead::DailyTest => Text::new(
            format!("The last daily test call did not arrive, and a real one may not; the next is on {en}."),
            format!(
                "Ni chyrhaeddodd yr alwad brawf ddyddiol ddiwethaf, ac efallai na fyddai un go iawn; bydd yr un nesaf ar {cy}."
            ),
        ),
        Ahead::BankHolidays => Text::new(
            format!(
                "Curiad knows the bank holidays up to {en}: a newer list from GOV.UK (bank_holidays), or a newer version, knows more."
            ),
            format!(
                "Mae Curiad yn gwybod y gwyliau banc hyd at {cy}: mae rhestr fwy newydd gan GOV.UK (bank_holidays), neu fersiwn mwy newydd, yn gwybod mwy."
            ),
        ),
    }
}
