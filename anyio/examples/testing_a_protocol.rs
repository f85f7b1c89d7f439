//! A protocol of lines, written for any stream and tested on streams that deliver one byte at a time, fail, and break off.
//!
//! `cargo run -p anyio --example testing_a_protocol --features smol,testing`

use std::io;

use anyio::testing::{assert_cancel_safe, bounded_stream_pair, memory_stream_pair};
use smol::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// Reads lines, and keeps what has come of the next one.
struct Lines<S> {
    stream: S,
    begun: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Lines<S> {
    async fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(end) = self.begun.iter().position(|byte| *byte == b'\n') {
                let line = self.begun.drain(..=end).take(end).collect();
                return String::from_utf8(line).map(Some).map_err(io::Error::other);
            }
            let mut bytes = [0; 16];
            match self.stream.read(&mut bytes).await? {
                0 if self.begun.is_empty() => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.begun.extend(&bytes[..read]),
            }
        }
    }
}

/// Greets whoever says a name.
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut lines = Lines { stream, begun: Vec::new() };
    while let Some(name) = lines.next().await? {
        lines.stream.write_all(format!("hello {name}\n").as_bytes()).await?;
    }
    Ok(())
}

async fn lines_may_come_byte_by_byte() {
    let (client, server) = bounded_stream_pair(4);
    server.receive_faults().chunk(1);
    let conversation = async {
        client.send_all(b"world\n").await.unwrap();
        client.send_eof().await;
        Lines { stream: client, begun: Vec::new() }.next().await.unwrap()
    };
    let (greeting, served) = anyio::gather((conversation, serve(server))).await.unwrap();
    assert_eq!(greeting.as_deref(), Some("hello world"));
    served.unwrap();
}

async fn a_broken_connection_is_an_error() {
    let (client, server) = memory_stream_pair();
    server.send_faults().cut_after(5);
    client.send_all(b"world\n").await.unwrap();
    assert_eq!(serve(server).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

async fn reading_a_line_can_be_given_up_and_taken_up_again() {
    let a_slow_line = async || {
        let (client, stream) = memory_stream_pair();
        stream.receive_faults().chunk(2);
        stream.receive_faults().before_each(anyio::checkpoint);
        client.send_all(b"world\n").await.unwrap();
        (client, Lines { stream, begun: Vec::new() })
    };
    assert_cancel_safe(a_slow_line, async |(_client, lines)| lines.next().await.unwrap()).await;
}

pub(crate) fn main() {
    smol::block_on(async {
        lines_may_come_byte_by_byte().await;
        a_broken_connection_is_an_error().await;
        reading_a_line_can_be_given_up_and_taken_up_again().await;
    });
    println!("the protocol holds");
}
