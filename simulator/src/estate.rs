//! The APIs of the simulated world, as plain values.

/// What an API speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// FHIR R4: `/Patient/{nhs number}`, `/DiagnosticReport`, `/metadata`; errors are `OperationOutcome`.
    Fhir,
    /// SOAP 1.1 and 1.2: `?wsdl` and an envelope by POST.
    Soap,
    /// JSON over HTTP: `/documents`, `/lists`; errors are problem+json.
    Rest,
    /// OAuth 2 client credentials: `/oauth2/token`.
    Identity,
    /// GraphQL: `/graphql`.
    Graphql,
    /// HL7 v2 over MLLP, on the same port.
    Hl7,
}

/// Which health words its `_ping` and `_status` use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vocabulary {
    /// Digital Health and Care Wales' exemplar: UP, DOWN, DEGRADED, and a map of dependencies.
    Dhcw,
    /// NHS England's platform: pass, warn, fail, and a map of checks.
    NhsEngland,
}

/// One published API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// Its identifier, used in paths.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// What it speaks.
    pub kind: Kind,
    /// Which health words it uses.
    pub vocabulary: Vocabulary,
    /// The version that `_ping` and `_status` tell.
    pub version: String,
    /// The identifiers of the APIs it depends on.
    pub depends_on: Vec<String>,
    /// Reads without a UUID in `X-Request-ID` are refused with 400, as the Personal Demographics Service does.
    pub needs_request_id: bool,
    /// Reads without a token from the environment's identity API are refused with 401.
    pub needs_token: bool,
}

impl Api {
    /// An API with this identifier that speaks `kind`, in DHCW's words, and asks for nothing special.
    pub fn new(id: impl Into<String>, title: impl Into<String>, kind: Kind) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            kind,
            vocabulary: Vocabulary::Dhcw,
            version: "1.0.0".to_owned(),
            depends_on: Vec::new(),
            needs_request_id: false,
            needs_token: false,
        }
    }

    /// The same API, in NHS England's health words.
    #[must_use]
    pub fn nhs_england(mut self) -> Self {
        self.vocabulary = Vocabulary::NhsEngland;
        self
    }

    /// The same API, depending on another.
    #[must_use]
    pub fn depending_on(mut self, id: impl Into<String>) -> Self {
        self.depends_on.push(id.into());
        self
    }

    /// The same API, in this version.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }
}

/// APIs, and the environments that each of them is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Estate {
    /// The APIs, in the order the page shows them.
    pub apis: Vec<Api>,
    /// The environments, in the order the page shows them.
    pub environments: Vec<String>,
}

/// The demo's estate: eight APIs modelled on NHS Wales' catalogue, in all five environments. Those of HTTP depend on `identity`.
pub fn demo_estate() -> Estate {
    let mut demographics = Api::new("patient-demographics", "Patient Demographics", Kind::Fhir)
        .nhs_england()
        .version("2.3.1")
        .depending_on("identity");
    demographics.needs_request_id = true;
    Estate {
        apis: vec![
            demographics,
            Api::new("demographics-soap", "Welsh Demographics Service", Kind::Soap)
                .version("7.4.0")
                .depending_on("identity"),
            Api::new("documents", "Care Records Documents", Kind::Rest)
                .version("3.0.2")
                .depending_on("identity"),
            Api::new("results", "Results and Reporting", Kind::Fhir)
                .version("1.9.0")
                .depending_on("identity"),
            Api::new("reference-data", "Reference Data", Kind::Rest)
                .version("4.2.0")
                .depending_on("identity"),
            Api::new("identity", "Identity and Access", Kind::Identity).nhs_england().version("5.1.0"),
            Api::new("clinic-lists", "Clinic Lists", Kind::Graphql).version("0.9.4").depending_on("identity"),
            Api::new("integration-hub", "Integration Hub", Kind::Hl7),
        ],
        environments: ["sandbox", "development", "sit", "uat", "production"].map(str::to_owned).to_vec(),
    }
}
