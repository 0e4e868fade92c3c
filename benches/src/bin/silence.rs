//! Two kinds of silence to probe beside what answers: a port at every address of this host that swallows connections, and a
//! name server that knows the root and answers nothing about any name.

use benches::Failed;
use clap::Parser;
use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::{TcpSocket, TcpStream, UdpSocket},
    time::timeout,
};

/// A connection that is not made within this is not made.
const SWALLOWED: Duration = Duration::from_millis(300);

#[derive(Parser)]
#[command(about = "Black holes and dead names; says 'ready', and runs until it is stopped.")]
struct Arguments {
    /// At which port connections are neither made nor refused.
    #[arg(long)]
    port: u16,
    /// Where the name server listens, like 127.0.0.1:53.
    #[arg(long)]
    names: Option<SocketAddr>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let arguments = Arguments::parse();
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((Ipv4Addr::UNSPECIFIED, arguments.port).into())?;
    // Nobody is accepted, and once its queue is full the kernel drops what else arrives.
    let _listener = socket.listen(1)?;
    let mut queued = Vec::new();
    while let Ok(made) = timeout(SWALLOWED, TcpStream::connect((Ipv4Addr::LOCALHOST, arguments.port))).await {
        queued.push(made?);
    }
    let names = match arguments.names {
        Some(address) => Some(UdpSocket::bind(address).await?),
        None => None,
    };
    writeln!(std::io::stdout(), "ready")?;
    let Some(names) = names else { return std::future::pending().await };
    let mut query = [0; 4096];
    loop {
        let (length, from) = names.recv_from(&mut query).await?;
        if let Some(reply) = query.get(..length).and_then(about_the_root) {
            names.send_to(&reply, from).await?;
        }
    }
}

/// That there is a root, without saying more of it (RFC 1035 §4.1); nothing where a name is asked for.
fn about_the_root(query: &[u8]) -> Option<Vec<u8>> {
    let (id, question) = (query.get(..2)?, query.get(12..17)?);
    (question.first() == Some(&0)).then(|| [id, &[0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0], question].concat())
}
