//! What the database refused for good, for those who run Curiad.

/// Outcomes that the database refused for good while it took others, and the file in which they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetAside {
    /// How many stand there. 0: nothing is to be said.
    pub count: u64,
    /// Where.
    pub file: String,
}
