//! One connection: a request, the fault that strikes it, and what the client gets to see.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Shared;
use super::message::{Incoming, Outgoing};
use crate::registry::TAMPERED;
use crate::script::Fault;

/// Holds the conversation to its end. An error is a client that went away, or the lab that ends: nobody to tell.
pub(super) async fn hold(mut client: TcpStream, shared: Arc<Shared>) {
    let _ = converse(&mut client, &shared).await;
}

async fn converse(client: &mut TcpStream, shared: &Shared) -> io::Result<()> {
    let Some(request) = Incoming::read(client).await? else { return Ok(()) };
    let Some(fault) = shared.strike(&request.method, request.path()) else {
        return send(client, &request.forward(shared.upstream, "").await?).await;
    };
    match fault {
        Fault::Close => Ok(()),
        Fault::Reset => reset(client),
        Fault::Stall => stall(client, shared).await,
        Fault::Status { code, retry_after } => send(client, &Outgoing::status(code, retry_after)).await,
        Fault::Tampered => send(client, &request.forward(shared.upstream, TAMPERED).await?).await,
        Fault::ResetBody => {
            send_half(client, &request.forward(shared.upstream, "").await?).await?;
            reset(client)
        }
        Fault::StallBody => {
            send_half(client, &request.forward(shared.upstream, "").await?).await?;
            stall(client, shared).await
        }
        Fault::TruncateBody => {
            send_half(client, &request.forward(shared.upstream, "").await?).await?;
            client.shutdown().await
        }
        Fault::FlipBody => {
            let mut answer = request.forward(shared.upstream, "").await?;
            let middle = answer.body.len() / 2;
            if let Some(byte) = answer.body.get_mut(middle) {
                *byte ^= 0xff;
            }
            send(client, &answer).await
        }
    }
}

async fn send(client: &mut TcpStream, answer: &Outgoing) -> io::Result<()> {
    client.write_all(&answer.head).await?;
    client.write_all(&answer.body).await?;
    client.shutdown().await
}

async fn send_half(client: &mut TcpStream, answer: &Outgoing) -> io::Result<()> {
    client.write_all(&answer.head).await?;
    client.write_all(&answer.body[..answer.body.len() / 2]).await
}

/// With no lingering, closing a socket sends RST instead of FIN.
fn reset(client: &TcpStream) -> io::Result<()> {
    client.set_zero_linger()
}

/// Says nothing until the client closes, or the script changes.
async fn stall(client: &mut TcpStream, shared: &Shared) -> io::Result<()> {
    let mut changed = shared.changed.subscribe();
    let mut ignored = [0; 1024];
    loop {
        tokio::select! {
            read = client.read(&mut ignored) => if read? == 0 { return Ok(()) },
            _ = changed.changed() => return reset(client),
        }
    }
}
