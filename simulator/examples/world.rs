//! The world outside on its own: `cargo run -p simulator --example world`. Control-C ends it.

use std::io::{self, Write as _};
use std::sync::Arc;

use simulator::{Ports, World, WorldOptions};

#[tokio::main]
async fn main() -> io::Result<()> {
    #[expect(clippy::disallowed_methods, reason = "this program is the one place where its clock is read")]
    let mut options = WorldOptions::demo(Arc::new(jiff::Timestamp::now));
    if std::env::args().any(|argument| argument == "--any-port") {
        options.ports = Ports::default();
    }
    let world = World::start(options).await?;
    let mut out = io::stdout().lock();
    writeln!(out, "page      {}", world.page_url())?;
    writeln!(out, "desk      {}", world.desk().url())?;
    writeln!(out, "notify    {}", world.notify().url())?;
    writeln!(out, "mail      {}", world.mail().address())?;
    writeln!(out, "heartbeat {}", world.heartbeat().url())?;
    for instance in world.instances() {
        writeln!(out, "api       {}", instance.url)?;
    }
    drop(out);
    tokio::signal::ctrl_c().await?;
    world.stop().await;
    Ok(())
}
