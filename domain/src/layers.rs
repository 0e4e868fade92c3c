//! How far requests get: what each layer last said, from the outside in.

use crate::{ErrorClass, Glance, Layer, Verdict};
use jiff::Timestamp;

/// What a layer last said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerSays {
    /// At least one probe got past it, and none failed at it.
    Good,
    /// A probe failed at it.
    Failed(ErrorClass),
    /// No probe got so far.
    NotReached,
}

/// The layers that a probe passes, from the outside in, and what each last said: those that no probe has are left out.
/// With when it was said, for the operations are not asked at once. `outcomes` are the last ones of an instance, each with whether
/// its operation signs in.
pub fn layers(outcomes: &[(&Glance, Verdict, bool)]) -> Vec<(Layer, LayerSays, Timestamp)> {
    let all = Layer::ALL.into_iter().filter(|layer| *layer != Layer::Ours);
    all.filter_map(|layer| {
        let has = |(outcome, _, signs_in): &&(&Glance, Verdict, bool)| match layer {
            Layer::Tls => outcome.secured || failed_at(outcome) == Some(Layer::Tls),
            Layer::Token => *signs_in,
            Layer::Dns | Layer::Connect | Layer::Gateway | Layer::Backend | Layer::Contract | Layer::Ours => {
                true
            }
        };
        let said = outcomes.iter().filter(has).map(|(outcome, verdict, _)| {
            let says = match failed_at(outcome).filter(|_| *verdict != Verdict::Pass) {
                Some(failed) if failed == layer => {
                    let class = ErrorClass::of(*verdict, outcome.failure.as_ref());
                    LayerSays::Failed(class.unwrap_or(ErrorClass::WrongAnswer))
                }
                // Our own trouble says nothing of how far a probe came.
                Some(failed) if failed == Layer::Ours || failed < layer => LayerSays::NotReached,
                Some(_) | None => LayerSays::Good,
            };
            (layer, says, outcome.at)
        });
        // A failure is told before what another operation got through, the newest of each.
        said.max_by_key(|(_, says, at)| (says.weight(), *at))
    })
    .collect()
}

impl LayerSays {
    const fn weight(self) -> u8 {
        match self {
            Self::NotReached => 0,
            Self::Good => 1,
            Self::Failed(_) => 2,
        }
    }
}

fn failed_at(outcome: &Glance) -> Option<Layer> {
    outcome.failure.as_ref().map(|failure| failure.layer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Failure,
        FailureKind::{self, *},
    };
    use std::time::Duration;

    fn outcome(failure: Option<(Layer, FailureKind)>) -> Glance {
        Glance {
            at: Timestamp::UNIX_EPOCH,
            total: Duration::ZERO,
            failure: failure.map(|(layer, kind)| Failure { layer, kind, message: String::new() }),
            status: None,
            secured: false,
            deprecation: None,
        }
    }

    #[test]
    fn each_layer_says_what_the_last_probes_met_there() {
        let passed = Glance { status: Some(200), ..outcome(None) };
        let later = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(7);
        let failed = Glance { at: later, ..outcome(Some((Layer::Backend, BackendUnavailable))) };
        let all = layers(&[(&passed, Verdict::Pass, false), (&failed, Verdict::Fail, false)]);
        assert_eq!(
            all,
            [
                (Layer::Dns, LayerSays::Good, later),
                (Layer::Connect, LayerSays::Good, later),
                (Layer::Gateway, LayerSays::Good, later),
                (Layer::Backend, LayerSays::Failed(ErrorClass::ServerError), later),
                (Layer::Contract, LayerSays::Good, Timestamp::UNIX_EPOCH),
            ]
        );
        let cut = outcome(Some((Layer::Connect, ConnectTimeout)));
        let said: Vec<LayerSays> =
            layers(&[(&cut, Verdict::Fail, true)]).into_iter().map(|(_, says, _)| says).collect();
        assert_eq!(said[..2], [LayerSays::Good, LayerSays::Failed(ErrorClass::NoConnection)]);
        assert!(said[2..].iter().all(|says| *says == LayerSays::NotReached));
        assert_eq!(said.len(), 6, "with the token, without TLS, which it does not have");
        assert_eq!(layers(&[]), []);
    }
}
