//! E-mail over SMTP, plain text.

use std::time::Duration;

use lettre::{
    Message, SmtpTransport, Transport as _,
    message::{Mailbox, header::ContentType},
    transport::smtp::{authentication::Credentials, client::Tls, client::TlsParameters},
};

use crate::{Notice, SinkError, notice::short};

/// How the way to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// TLS from the first byte; port 465 unless told otherwise.
    Tls,
    /// `STARTTLS`, and nothing is sent without; port 587 unless told otherwise.
    StartTls,
    /// None: for a server on this machine alone; port 25 unless told otherwise.
    None,
}

/// Mailboxes.
#[derive(Clone)]
pub struct Email {
    host: String,
    port: u16,
    encryption: Encryption,
    login: Option<(String, String)>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl std::fmt::Debug for Email {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Email").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Email {
    /// Mails from one address to others by way of a server.
    ///
    /// # Errors
    /// In words, where an address is none, nobody is told, or the way would be in the clear.
    pub fn new(
        host: &str,
        port: Option<u16>,
        encryption: Encryption,
        login: Option<(String, String)>,
        from: &str,
        to: &[String],
    ) -> Result<Email, String> {
        let mailbox =
            |text: &str| text.parse::<Mailbox>().map_err(|_| format!("{text:?} is no mail address"));
        let here = host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        if encryption == Encryption::None && !here {
            return Err(format!("mail to {host} must be encrypted: tls or starttls"));
        }
        let to: Vec<Mailbox> = to.iter().map(|text| mailbox(text)).collect::<Result<_, _>>()?;
        if to.is_empty() {
            return Err("nobody is named who gets the mail".to_owned());
        }
        let port = port.unwrap_or(match encryption {
            Encryption::Tls => 465,
            Encryption::StartTls => 587,
            Encryption::None => 25,
        });
        Ok(Email { host: host.to_owned(), port, encryption, login, from: mailbox(from)?, to })
    }

    pub(crate) fn send(&self, notice: &Notice) -> Result<(), SinkError> {
        let refused = |why: String| SinkError::Refused { why };
        let tls = || TlsParameters::new(self.host.clone()).map_err(|e| refused(e.to_string()));
        let tls = match self.encryption {
            Encryption::Tls => Tls::Wrapper(tls()?),
            Encryption::StartTls => Tls::Required(tls()?),
            Encryption::None => Tls::None,
        };
        let mut server = SmtpTransport::builder_dangerous(&self.host)
            .port(self.port)
            .tls(tls)
            .timeout(Some(Duration::from_secs(10)));
        if let Some((name, password)) = &self.login {
            server = server.credentials(Credentials::new(name.clone(), password.clone()));
        }
        let mail = self.mail(notice).map_err(|e| refused(e.to_string()))?;
        match server.build().send(&mail) {
            Ok(_) => Ok(()),
            Err(e) if e.is_permanent() => Err(refused(e.to_string())),
            Err(e) => Err(SinkError::later(e.to_string())),
        }
    }

    fn mail(&self, notice: &Notice) -> Result<Message, lettre::error::Error> {
        // The same notice again is the same mail: readers show it once.
        let id: String = notice.id.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let thread = format!("<{}@regreen>", hex(&notice.subject));
        let subject = format!("[Regreen] {}: {}", notice.kind.words(), short(&notice.title, 150));
        let mut mail = Message::builder()
            .from(self.from.clone())
            .subject(subject.replace(['\r', '\n'], " "))
            .message_id(Some(format!("<{id}@regreen>")))
            .references(thread)
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            mail = mail.to(to.clone());
        }
        mail.body(text(notice))
    }
}

fn hex(text: &str) -> String {
    text.bytes().take(64).map(|b| format!("{b:02x}")).collect()
}

fn text(notice: &Notice) -> String {
    let mut text = format!("{}\n\n", notice.title);
    for (name, value) in notice.facts() {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push('\n');
    for line in &notice.lines {
        text.push_str(line);
        text.push('\n');
    }
    if let Some(evidence) = &notice.evidence {
        text.push_str(&format!("\n    {}\n", short(evidence, 2_000)));
    }
    if let Some(link) = notice.safe_link() {
        text.push_str(&format!("\n{link}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::tests::notice;

    fn email() -> Email {
        let to = ["Ops <ops@example.com>".to_owned()];
        Email::new("localhost", None, Encryption::None, None, "regreen@example.com", &to).unwrap()
    }

    #[test]
    fn no_title_makes_a_header() {
        let hostile = Notice { title: "a\r\nBcc: everybody@example.com\r\n\r\nbody".to_owned(), ..notice() };
        let mail = String::from_utf8(email().mail(&hostile).unwrap().formatted()).unwrap();
        let (headers, _) = mail.split_once("\r\n\r\n").unwrap();
        assert!(!headers.lines().any(|line| line.starts_with("Bcc")), "{headers}");
        assert!(headers.contains("Subject: [Regreen] Healed"), "{headers}");
    }

    #[test]
    fn mail_in_the_clear_stays_on_this_machine() {
        let to = ["ops@example.com".to_owned()];
        let new = |host, encryption, from, to: &[String]| Email::new(host, None, encryption, None, from, to);
        assert!(new("mail.example.com", Encryption::None, "a@example.com", &to).is_err());
        assert!(new("mail.example.com", Encryption::Tls, "a@example.com", &to).is_ok());
        assert!(new("mail.example.com", Encryption::Tls, "nobody", &to).is_err());
        assert!(new("mail.example.com", Encryption::Tls, "a@example.com", &[]).is_err());
    }
}
