//! The demo's configuration, filled in with the addresses of a running world: ordinary files for an ordinary start.

use crate::{NotifyOptions, Side, World};

/// A file of the configuration directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path within the directory.
    pub path: &'static str,
    /// What it says.
    pub text: String,
}

/// The token that the world's Notify sends its receipts with.
pub const CALLBACK_TOKEN: &str = "receipts-of-the-simulated-world-42";

const SITE: &str = include_str!("../demo/curiad.yaml");
const APIS: [(&str, &str); 8] = [
    ("apis/clinic-lists.yaml", include_str!("../demo/apis/clinic-lists.yaml")),
    ("apis/demographics-soap.yaml", include_str!("../demo/apis/demographics-soap.yaml")),
    ("apis/documents.yaml", include_str!("../demo/apis/documents.yaml")),
    ("apis/identity.yaml", include_str!("../demo/apis/identity.yaml")),
    ("apis/integration-hub.yaml", include_str!("../demo/apis/integration-hub.yaml")),
    ("apis/patient-demographics.yaml", include_str!("../demo/apis/patient-demographics.yaml")),
    ("apis/reference-data.yaml", include_str!("../demo/apis/reference-data.yaml")),
    ("apis/results.yaml", include_str!("../demo/apis/results.yaml")),
];
/// Numbers that Ofcom keeps for drama: nobody has them.
const TELEPHONES: [(&str, &str); 3] = [
    ("secrets/nia-text", "+447700900461"),
    ("secrets/tom-text", "+447700900462"),
    ("secrets/duty-text", "+447700900463"),
];

const KEYS: [&str; 2] = ["secrets/demographics-key.pem", "secrets/records-key.pem"];

/// The demo's configuration for `world`; `public` is where the public page will be, `database` the database's URL.
pub fn configuration(world: &World, public: &str, database: &str) -> Vec<File> {
    let desk = world.desk().options();
    let mut names = vec![
        ("public".to_owned(), public.to_owned()),
        ("database".to_owned(), database.to_owned()),
        ("heartbeat".to_owned(), world.heartbeat().url()),
        ("notify".to_owned(), world.notify().url()),
        ("text_template".to_owned(), NotifyOptions::SMS_TEMPLATE.to_owned()),
        ("mail_port".to_owned(), world.mail().address().port().to_string()),
        ("desk".to_owned(), world.desk().url()),
        ("desk_client".to_owned(), desk.client_id.clone()),
        ("api_client".to_owned(), world.api_client().0.to_owned()),
        ("api_client_key".to_owned(), world.client_key().1.to_owned()),
        ("outside".to_owned(), world.network().address(Side::Outside).to_string()),
        ("inside".to_owned(), world.network().address(Side::Inside).to_string()),
    ];
    for instance in world.instances() {
        let name = format!("{}.{}", instance.api, instance.environment);
        if let Some(address) = world.address(&instance.api, &instance.environment) {
            names.push((format!("{name}.address"), address.to_string()));
        }
        names.push((name, instance.url));
    }
    let filled = |text: &str| {
        names
            .iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value))
    };
    let mut files = vec![File { path: "curiad.yaml", text: filled(SITE) }];
    files.extend(APIS.map(|(path, text)| File { path, text: filled(text) }));
    files.extend(TELEPHONES.map(|(path, number)| File { path, text: number.to_owned() }));
    files.push(File { path: "secrets/notify-key", text: world.notify().api_key() });
    files.push(File { path: "secrets/notify-callbacks", text: CALLBACK_TOKEN.to_owned() });
    // The key of one registered application, as each team has it.
    let key = world.client_key().0;
    files.extend(KEYS.map(|path| File { path, text: key.to_owned() }));
    files.push(File { path: "secrets/desk-client", text: desk.client_secret.clone() });
    files
}
