//! What is wrong and where, in a word, in a few, and in a sentence; in both languages.

use super::facts::{Facts, capital};
use domain::{Ahead, Alerting, Cause, Environment, Language, Layer, Status, Text, scrubbed};

impl Facts<'_> {
    /// The environment as users say it.
    pub(super) fn environment(&self, language: Language) -> &'static str {
        self.incident.environment.plain(language)
    }

    /// The environment in one short word, for texts and subjects.
    pub(super) const fn tag(&self, language: Language) -> &'static str {
        match (self.incident.environment, language) {
            (Environment::Sandbox, Language::En) => "SANDBOX",
            (Environment::Sandbox, Language::Cy) => "TYWOD",
            (Environment::Development, Language::En) => "DEV",
            (Environment::Development, Language::Cy) => "DATBLYGU",
            (Environment::Sit, _) => "SIT",
            (Environment::Uat, _) => "UAT",
            (Environment::Production, Language::En) => "PROD",
            (Environment::Production, Language::Cy) => "BYW",
        }
    }

    /// What is troubled, as users name it.
    pub(super) fn subject(&self, language: Language) -> String {
        let words = match &self.incident.cause {
            Cause::Instance(instance) | Cause::Burn(instance) | Cause::Alert(Alerting { instance, .. }) => {
                return self.name(instance, language);
            }
            Cause::Token(endpoint) => {
                let host = endpoint.host();
                Text::new(format!("tokens from {host}"), format!("tocynnau o {host}"))
            }
            Cause::Certificate(_) => {
                let name = self.api().map(|api| scrubbed(api.name.get(language)));
                Text::new(
                    format!("certificate of {}", name.as_deref().unwrap_or("several APIs")),
                    format!("tystysgrif {}", name.as_deref().unwrap_or("sawl API")),
                )
            }
            Cause::Gateway(gateway) => {
                let host = &gateway.host;
                Text::new(format!("gateway {host}"), format!("porth {host}"))
            }
            Cause::Refused(_) => Text::new("APIs", "APIs"),
            Cause::Storm(_) => Text::new("many APIs", "llawer o APIs"),
            Cause::Blind(vantage) => Text::new(format!("view from {vantage}"), format!("golwg o {vantage}")),
            Cause::Rota(rota) => Text::new(format!("rota {rota}"), format!("rota {rota}")),
            Cause::Ahead(what) => return self.subject_ahead(what, language),
            Cause::Test(_) => Text::new("test call", "galwad brawf"),
            Cause::Behind(vantage) => {
                Text::new(format!("Curiad's probes from {vantage}"), format!("profion Curiad o {vantage}"))
            }
        };
        words.get(language).to_owned()
    }

    /// What has become of it, in a word or two.
    pub(super) const fn effect(&self, language: Language) -> &'static str {
        let (en, cy) = match (&self.incident.cause, self.incident.worst) {
            (Cause::Token(_), _) => ("MISSING", "AR GOLL"),
            (Cause::Burn(_), _) => ("FAILS OFTEN", "YN METHU'N AML"),
            (Cause::Alert(_), _) => ("ALERT", "RHYBUDD"),
            (Cause::Certificate(_), _) => ("NOT GOOD", "DDIM YN DDA"),
            (Cause::Refused(_), _) => ("REFUSE US", "YN GWRTHOD"),
            (Cause::Storm(_), _) => ("FAIL", "YN METHU"),
            (Cause::Blind(_), _) => ("LOST", "AR GOLL"),
            (Cause::Rota(_), _) => ("EMPTY", "YN WAG"),
            (Cause::Behind(_), _) => ("LATE", "YN HWYR"),
            (Cause::Ahead(Ahead::Rota(_)), _) => ("WILL BE EMPTY", "I FOD YN WAG"),
            (Cause::Ahead(Ahead::DailyTest), _) => ("DID NOT ARRIVE", "HEB GYRRAEDD"),
            (Cause::Ahead(Ahead::Clock), _) => ("WAS SET", "WEDI EI DROI"),
            (Cause::Ahead(_), _) => ("ENDS SOON", "YN DOD I BEN"),
            (Cause::Test(_), _) => ("NOTHING IS WRONG", "DIM BYD O'I LE"),
            (Cause::Gateway(_), _) | (Cause::Instance(_), Status::MajorOutage) => ("DOWN", "WEDI METHU"),
            (Cause::Instance(_), Status::PartialOutage) => ("PART DOWN", "RHAN WEDI METHU"),
            (Cause::Instance(_), Status::Degraded) => ("SLOW", "YN ARAF"),
            (Cause::Instance(_), Status::Operational | Status::Maintenance | Status::Unknown) => {
                ("UNKNOWN", "ANHYSBYS")
            }
        };
        match language {
            Language::En => en,
            Language::Cy => cy,
        }
    }

    /// What is wrong, as a sentence without its capital and its full stop.
    pub(super) fn symptom(&self, language: Language) -> String {
        let name = self.subject(language);
        match (language, &self.incident.cause, self.incident.worst) {
            (Language::En, Cause::Token(endpoint), _) => {
                format!("{} gives no access tokens, so APIs that need them cannot be used", endpoint.host())
            }
            (Language::Cy, Cause::Token(endpoint), _) => {
                format!(
                    "nid yw {} yn rhoi tocynnau mynediad, felly ni ellir defnyddio'r APIs sydd eu hangen",
                    endpoint.host()
                )
            }
            (Language::En, Cause::Burn(_), _) => {
                format!("{name} fails again and again: more of its objective is missed than it allows")
            }
            (Language::Cy, Cause::Burn(_), _) => {
                format!("mae {name} yn methu dro ar ôl tro: collir mwy o'i amcan nag a ganiateir")
            }
            (_, Cause::Alert(alerting), _) => symptom_alert(alerting, &name, language),
            (Language::En, Cause::Certificate(_), _) => {
                format!("the {name} is not good, so nobody can connect safely")
            }
            (Language::Cy, Cause::Certificate(_), _) => {
                format!("nid yw {name} yn dda, felly ni all neb gysylltu'n ddiogel")
            }
            (_, Cause::Gateway(gateway), _) => symptom_gateway(&gateway.host, self.incident.layer, language),
            (Language::En, Cause::Refused(_), _) => {
                "the APIs refuse Curiad's own access, so it cannot tell whether they work".to_owned()
            }
            (Language::Cy, Cause::Refused(_), _) => {
                "mae'r APIs yn gwrthod mynediad Curiad ei hun, felly ni all ddweud a ydynt yn gweithio"
                    .to_owned()
            }
            (Language::En, Cause::Blind(vantage), _) => {
                format!(
                    "Curiad cannot see production from {vantage}: it may be the NHS network, it may be Curiad"
                )
            }
            (Language::Cy, Cause::Blind(vantage), _) => {
                format!(
                    "ni all Curiad weld yr amgylchedd byw o {vantage}: efallai rhwydwaith y GIG, efallai Curiad"
                )
            }
            (Language::En, Cause::Storm(_), _) => {
                let many = self.incident.affects.len();
                format!("{many} APIs failed at once; it is most likely one trouble that they share")
            }
            (Language::Cy, Cause::Storm(_), _) => {
                let many = self.incident.affects.len();
                format!(
                    "methodd {many} o APIs gyda'i gilydd; un broblem y maent yn ei rhannu, yn fwy na thebyg"
                )
            }
            (Language::En, Cause::Test(_), _) => "this is a test; nothing is wrong".to_owned(),
            (Language::Cy, Cause::Test(_), _) => "prawf yw hwn; nid oes dim o'i le".to_owned(),
            (Language::En, Cause::Rota(rota), _) => format!("nobody is on call in rota {rota}"),
            (Language::Cy, Cause::Rota(rota), _) => format!("nid oes neb ar alw yn rota {rota}"),
            (Language::En, Cause::Behind(vantage), _) => {
                format!("Curiad's own probes from {vantage} begin late, so what fails may be seen late")
            }
            (Language::Cy, Cause::Behind(vantage), _) => {
                format!(
                    "mae profion Curiad ei hun o {vantage} yn dechrau'n hwyr: efallai y gwelir methiannau'n hwyr"
                )
            }
            (_, Cause::Ahead(what), _) => symptom_ahead(what, &name, language),
            (Language::En, Cause::Instance(_), Status::MajorOutage) => format!("{name} is not working"),
            (Language::Cy, Cause::Instance(_), Status::MajorOutage) => format!("nid yw {name} yn gweithio"),
            (Language::En, Cause::Instance(_), Status::PartialOutage) => {
                format!("only part of {name} is working")
            }
            (Language::Cy, Cause::Instance(_), Status::PartialOutage) => {
                format!("dim ond rhan o {name} sy'n gweithio")
            }
            (Language::En, Cause::Instance(_), Status::Degraded) => {
                format!("{name} is running slowly, or not in every part")
            }
            (Language::Cy, Cause::Instance(_), Status::Degraded) => {
                format!("mae {name} yn rhedeg yn araf, neu nid ym mhob rhan")
            }
            (
                Language::En,
                Cause::Instance(_),
                Status::Operational | Status::Maintenance | Status::Unknown,
            ) => {
                format!("we cannot tell whether {name} is working")
            }
            (
                Language::Cy,
                Cause::Instance(_),
                Status::Operational | Status::Maintenance | Status::Unknown,
            ) => {
                format!("ni allwn ddweud a yw {name} yn gweithio")
            }
        }
    }

    fn subject_ahead(&self, what: &Ahead, language: Language) -> String {
        let words = match what {
            Ahead::Certificate(_) => {
                let names = self.names(&self.incident.affects, language);
                Text::new(format!("certificate of {names}"), format!("tystysgrif {names}"))
            }
            Ahead::OwnCertificate(_) => Text::new("Curiad's own certificate", "tystysgrif Curiad ei hun"),
            Ahead::OwnSecret(reference) => Text::new(
                format!("Curiad's own secret {reference}"),
                format!("cyfrinach Curiad ei hun {reference}"),
            ),
            Ahead::Sunset(instance) => return self.name(instance, language),
            Ahead::Rota(rota) => Text::new(format!("rota {rota}"), format!("rota {rota}")),
            Ahead::DailyTest => Text::new("daily test call", "galwad brawf ddyddiol"),
            Ahead::Clock => Text::new("Curiad's own clock", "cloc Curiad ei hun"),
            Ahead::BankHolidays => Text::new("table of bank holidays", "tabl y gwyliau banc"),
        };
        words.get(language).to_owned()
    }

    /// What is wrong, and since when.
    pub(super) fn symptom_since(&self, language: Language) -> String {
        capital(&format!("{} ({} {})", self.symptom(language), since(language), self.since()))
    }

    /// What is wrong, where, and since when.
    pub(super) fn symptom_where(&self, language: Language) -> String {
        let (place, when) = (self.environment(language), self.since());
        capital(&format!("{} ({place}, {} {when})", self.symptom(language), since(language)))
    }
}

/// All APIs behind it fail before they are reached.
fn symptom_gateway(host: &str, layer: Option<Layer>, language: Language) -> String {
    match (language, layer) {
        (Language::En, Some(Layer::Dns)) => {
            format!("the name of {host} cannot be found, so none of the APIs there is reached")
        }
        (Language::Cy, Some(Layer::Dns)) => {
            format!("ni ellir dod o hyd i enw {host}, felly ni chyrhaeddir yr un o'r APIs yno")
        }
        (Language::En, _) => {
            format!("none of the APIs at {host} answers: it is most likely the gateway there")
        }
        (Language::Cy, _) => {
            format!("nid oes yr un o'r APIs yn {host} yn ateb: y porth yno yw'r achos, yn fwy na thebyg")
        }
    }
}

fn symptom_alert(alerting: &Alerting, name: &str, language: Language) -> String {
    let alert = &alerting.name;
    match language {
        Language::En => format!("the team's own monitoring of {name} says so: the alert {alert} fires"),
        Language::Cy => {
            format!("dywed system fonitro'r tîm ei hun am {name}: mae'r rhybudd {alert} yn weithredol")
        }
    }
}

fn symptom_ahead(what: &Ahead, name: &str, language: Language) -> String {
    match (language, what) {
        (Language::En, Ahead::OwnCertificate(_) | Ahead::OwnSecret(_)) => {
            format!("{name} ends soon and has to be renewed")
        }
        (Language::En, Ahead::Certificate(_)) => {
            format!("the {name} ends soon and has to be renewed")
        }
        (Language::Cy, Ahead::Certificate(_) | Ahead::OwnCertificate(_) | Ahead::OwnSecret(_)) => {
            format!("mae {name} yn dod i ben yn fuan a rhaid ei hadnewyddu")
        }
        (Language::En, Ahead::Sunset(_)) => format!("{name} has a date for its end"),
        (Language::Cy, Ahead::Sunset(_)) => format!("mae gan {name} ddyddiad y daw i ben"),
        (Language::En, Ahead::Rota(rota)) => format!("nobody will be on call in rota {rota}"),
        (Language::Cy, Ahead::Rota(rota)) => format!("ni fydd neb ar alw yn rota {rota}"),
        (Language::En, Ahead::DailyTest) => "the last daily test call did not arrive".to_owned(),
        (Language::Cy, Ahead::DailyTest) => "ni chyrhaeddodd yr alwad brawf ddyddiol ddiwethaf".to_owned(),
        (Language::En, Ahead::Clock) => "Curiad's own clock was set, and may be wrong".to_owned(),
        (Language::Cy, Ahead::Clock) => {
            "cafodd cloc Curiad ei hun ei droi, ac efallai ei fod yn anghywir".to_owned()
        }
        (Language::En, Ahead::BankHolidays) => "the bank holidays that Curiad knows end".to_owned(),
        (Language::Cy, Ahead::BankHolidays) => {
            "mae'r gwyliau banc y mae Curiad yn eu gwybod yn dod i ben".to_owned()
        }
    }
}

/// An environment as users say it.
const fn since(language: Language) -> &'static str {
    match language {
        Language::En => "since",
        Language::Cy => "ers",
    }
}
