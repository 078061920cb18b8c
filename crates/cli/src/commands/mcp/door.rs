//! The door: one message a line, in and out. What can't be read is answered by a JSON-RPC error and stops nothing; who
//! sends nothing else is shown out.

use std::{
    io::{self, BufRead, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
};

use regreen_show::json::line;
use rmcp::{
    RoleServer,
    model::ErrorCode,
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::Transport,
};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

type Message = RxJsonRpcMessage<RoleServer>;

/// Longest message, in bytes; a log of that length is better named by its path.
pub const LONGEST: u64 = 16 << 20;

/// So many unreadable lines one after the other are no client's.
const MOST_UNREADABLE: u32 = 100;

/// So many messages wait to be answered; then reading waits.
const WAITING: usize = 16;

/// Where messages come in and go out.
pub struct Door<W> {
    inbox: mpsc::Receiver<Message>,
    out: Out<W>,
}

/// Whether reading ended because nothing could be read.
#[derive(Clone, Default)]
pub struct Stopped(Arc<AtomicBool>);

impl Stopped {
    /// True where no client speaks the protocol.
    pub fn gave_up(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// Opens the door: `input` is read by a thread of its own, because a read can't be waited for in any other way.
pub fn door<R, W>(input: R, output: W) -> (Door<W>, Stopped)
where
    R: BufRead + Send + 'static,
    W: Write + Send + 'static,
{
    let out = Out(Arc::new(Mutex::new(output)));
    let (letters, inbox) = mpsc::channel(WAITING);
    let stopped = Stopped::default();
    let (answers, end) = (Out(Arc::clone(&out.0)), stopped.clone());
    thread::spawn(move || end.0.store(listen(input, &answers, &letters), Relaxed));
    (Door { inbox, out }, stopped)
}

/// Hands messages on until the input ends; true where it gave up.
fn listen<W: Write>(mut input: impl BufRead, out: &Out<W>, letters: &mpsc::Sender<Message>) -> bool {
    let mut line = Vec::new();
    let mut unreadable = 0;
    while unreadable < MOST_UNREADABLE {
        line.clear();
        let refused = match next(&mut input, &mut line) {
            Ok(Next::End) | Err(_) => return false,
            Ok(Next::Line) => match message(&line) {
                Ok(Some(message)) => match letters.blocking_send(message) {
                    Ok(()) => {
                        unreadable = 0;
                        continue;
                    }
                    Err(_) => return false,
                },
                Ok(None) => continue,
                Err(refused) => refused,
            },
            Ok(Next::TooLong) => {
                let most = LONGEST >> 20;
                refusal(
                    ErrorCode::INVALID_REQUEST,
                    &Value::Null,
                    &format!("a message has at most {most} MiB; name a long log by its path"),
                )
            }
        };
        unreadable += 1;
        if out.write(&refused).is_err() {
            return false;
        }
    }
    true
}

enum Next {
    Line,
    TooLong,
    End,
}

fn next(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Next> {
    if io::Read::take(input.by_ref(), LONGEST + 1).read_until(b'\n', line)? == 0 {
        return Ok(Next::End);
    }
    if line.len() as u64 <= LONGEST || line.ends_with(b"\n") {
        return Ok(Next::Line);
    }
    line.clear();
    input.skip_until(b'\n')?;
    Ok(Next::TooLong)
}

/// The message of a line; `None` where there is nothing to answer.
fn message(line: &[u8]) -> Result<Option<Message>, Value> {
    let text = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    let value: Value = serde_json::from_slice(text).map_err(|e| {
        let what = format!("this line is no JSON (column {}); a message is one line of JSON", e.column());
        refusal(ErrorCode::PARSE_ERROR, &Value::Null, &what)
    })?;
    let id = value.get("id").filter(|id| id.is_string() || id.is_number()).cloned();
    let notification = id.is_none() && value.get("method").is_some_and(Value::is_string);
    match serde_json::from_value(value) {
        Ok(message) => Ok(Some(message)),
        // A notification is never answered.
        Err(_) if notification => Ok(None),
        Err(_) => Err(refusal(
            ErrorCode::INVALID_REQUEST,
            &id.unwrap_or_default(),
            "this is no message of the Model Context Protocol",
        )),
    }
}

fn refusal(code: ErrorCode, id: &Value, what: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code.0, "message": what}})
}

/// Where whole lines are written, one at a time.
struct Out<W>(Arc<Mutex<W>>);

impl<W: Write> Out<W> {
    fn write(&self, message: &impl Serialize) -> io::Result<()> {
        let text = line(message);
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(text.as_bytes()).and_then(|()| out.flush())
    }
}

impl<W: Write + Send + 'static> Transport<RoleServer> for Door<W> {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        std::future::ready(self.out.write(&message))
    }

    async fn receive(&mut self) -> Option<Message> {
        self.inbox.recv().await
    }

    async fn close(&mut self) -> io::Result<()> {
        self.inbox.close();
        Ok(())
    }
}
