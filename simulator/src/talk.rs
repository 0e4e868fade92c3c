//! What is said where an answer should be: bytes that no HTTP server would send.

use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::fault::Fault;

/// Pieces of ten megabytes.
const MANY: usize = 640;

/// What is said once, then again and again, so many times.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Talk {
    first: &'static [u8],
    again: &'static [u8],
    times: usize,
}

impl Talk {
    /// What a fault says in place of an answer, if it does.
    pub(crate) fn of(fault: Fault) -> Option<Self> {
        if fault == Fault::HugeHead {
            return Some(Self {
                first: b"HTTP/1.1 200 OK\r\nX-Large: ",
                again: &[b'y'; 16 * 1024],
                times: MANY,
            });
        }
        if fault == Fault::Interim {
            return Some(Self { first: b"", again: b"HTTP/1.1 100 Continue\r\n\r\n", times: usize::MAX });
        }
        let words = b"220 mail.example ESMTP\r\n";
        (fault == Fault::Garbage).then_some(Self { first: words, again: b"500 what?\r\n", times: 1 })
    }

    /// Says it, for as long as anybody listens.
    pub(crate) async fn say(self, stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
        stream.write_all(self.first).await?;
        for _ in 0..self.times {
            stream.write_all(self.again).await?;
            tokio::task::yield_now().await;
        }
        stream.shutdown().await
    }
}
