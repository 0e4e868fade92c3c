//! Before a connection stands.

use super::Fault;
use crate::{
    names::{Does, NameServer},
    servers::{nobody, swallows},
};
use domain::{FailureKind::*, Layer, PrivateAddresses, Verdict};
use std::time::Duration;

/// A name that a name server tells so.
async fn named(name: &'static str, does: Does, private: PrivateAddresses) -> Fault {
    let server = NameServer::start(does).await;
    let prober = server.prober_with(private);
    let fault = Fault::at(name, &format!("http://api.results.wales:{}", nobody().port()), server);
    fault.by(prober).with(|check| check.timeout = Duration::from_secs(4))
}

pub(super) async fn all() -> Vec<Fault> {
    use PrivateAddresses::{Allowed, AsWritten};
    let silent = swallows().await;
    let swallowed = format!("http://{}", silent.address);
    let refused = nobody();
    vec![
        named("a name that does not exist", Does::Code(3), Allowed)
            .await
            .fails(Layer::Dns, NameNotFound)
            .marks("dns"),
        named("a name without an address", Does::Code(0), Allowed)
            .await
            .fails(Layer::Dns, NameNotFound)
            .marks("dns"),
        named("a name that the resolver fails for", Does::Code(2), Allowed)
            .await
            .fails(Layer::Dns, NameFailed)
            .marks("dns"),
        named("a name that the resolver refuses", Does::Code(5), Allowed)
            .await
            .fails(Layer::Dns, NameFailed)
            .marks("dns"),
        named("a resolver that fails for all", Does::Fails(2), Allowed)
            .await
            .is(Verdict::Inconclusive, Layer::Ours, NoResolver)
            .marks("dns"),
        named("a resolver that says nothing", Does::IsMute, Allowed)
            .await
            .is(Verdict::Inconclusive, Layer::Ours, NoResolver)
            .marks("dns"),
        named("a name that leads to where nothing listens", Does::Tells, Allowed)
            .await
            .fails(Layer::Connect, Refused)
            .marks("dns connect"),
        named("a name that leads to two where nothing listens", Does::TellsTwo, Allowed)
            .await
            .fails(Layer::Connect, Refused)
            .marks("dns connect"),
        named("a name that leads back to this host", Does::Tells, AsWritten)
            .await
            .is(Verdict::Inconclusive, Layer::Ours, AddressRefused)
            .marks("dns connect"),
        named("a name that leads to a cloud's metadata", Does::TellsMetadata, Allowed)
            .await
            .is(Verdict::Inconclusive, Layer::Ours, AddressRefused)
            .marks("dns connect"),
        Fault::at("the address of a cloud's metadata", "http://169.254.169.254/latest", ())
            .is(Verdict::Inconclusive, Layer::Ours, AddressRefused)
            .marks("connect"),
        Fault::at("the same, mapped into IPv6", "http://[::ffff:169.254.169.254]/latest", ())
            .is(Verdict::Inconclusive, Layer::Ours, AddressRefused)
            .marks("connect"),
        Fault::at("no address of a host", "http://0.0.0.0:80", ())
            .is(Verdict::Inconclusive, Layer::Ours, AddressRefused)
            .marks("connect"),
        Fault::at("nothing listens", &format!("http://{refused}"), ())
            .fails(Layer::Connect, Refused)
            .marks("connect"),
        Fault::at(
            "nothing listens at any of its addresses",
            &format!("http://localhost:{}", refused.port()),
            (),
        )
        .fails(Layer::Connect, Refused)
        .marks("dns connect"),
        Fault::at("packets are swallowed", &swallowed, silent)
            .hangs()
            .fails(Layer::Connect, ConnectTimeout)
            .marks("connect"),
    ]
}
