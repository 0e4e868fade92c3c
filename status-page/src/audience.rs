//! For whom a view is made.

use domain::{Configuration, Environment, Visibility};

/// For whom a view is made. Every listener has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Audience {
    /// Anyone: only environments whose policy says `public`.
    Public,
    /// People on the trusted network: all five environments, with tickets and timelines.
    Internal,
}

impl Audience {
    /// Both, in the order in which views are made.
    pub const ALL: [Self; 2] = [Self::Public, Self::Internal];

    /// Whether this audience may see `environment`; one without a policy is seen by nobody outside.
    pub fn sees(self, configuration: &Configuration, environment: Environment) -> bool {
        match self {
            Self::Internal => true,
            Self::Public => configuration
                .policy(environment)
                .is_some_and(|policy| policy.visibility == Visibility::Public),
        }
    }
}
