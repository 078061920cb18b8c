//! A machine whose clock is wrong, as npm and Regreen meet it: the registry's certificate is "not yet valid", and its answer
//! says what time it is.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use crate::said::Bare;

/// Speaks TLS with a certificate of 2125, and says without it, as nginx does, that it can't; with what time it is.
const REGISTRY: &str = r"
const [net, tls, fs] = ['net', 'tls', 'fs'].map(require);
const [folder] = process.argv.slice(1);
const read = (name) => fs.readFileSync(`${folder}/${name}`);
const [key, cert] = [read('key.pem'), read('cert.pem')];
const server = net.createServer((socket) => {
  socket.on('error', () => {});
  socket.once('data', (first) => {
    if (first[0] === 22) {
      socket.pause();
      socket.unshift(first);
      new tls.TLSSocket(socket, { isServer: true, key, cert }).on('error', () => {}).resume();
    } else {
      socket.end('HTTP/1.1 400 Bad Request\r\nDate: DATE\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  fs.writeFileSync(`${folder}/port.new`, String(server.address().port));
  fs.renameSync(`${folder}/port.new`, `${folder}/port`);
});
";

const CA: &str = "
[ca]
default_ca = d
[d]
database = index
serial = serial
new_certs_dir = .
default_md = sha256
policy = p
x509_extensions = v3
[p]
commonName = supplied
[req]
distinguished_name = dn
prompt = no
[dn]
CN = localhost
[v3]
subjectAltName = DNS:localhost
basicConstraints = critical,CA:TRUE
";

fn openssl(folder: &Path, arguments: &[&str]) {
    let ran = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// A key, and a certificate for it that is valid in 2125 only.
fn certificate(folder: &Path) {
    for (name, text) in [("ca.cnf", CA), ("index", ""), ("serial", "01")] {
        fs::write(folder.join(name), text).unwrap();
    }
    openssl(folder, &["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "key.pem"]);
    openssl(folder, &["req", "-new", "-key", "key.pem", "-out", "req.pem", "-config", "ca.cnf"]);
    let [from, to] = ["21250101000000Z", "21260101000000Z"];
    openssl(
        folder,
        &[
            "ca",
            "-batch",
            "-selfsign",
            "-notext",
            "-config",
            "ca.cnf",
            "-keyfile",
            "key.pem",
            "-in",
            "req.pem",
            "-out",
            "cert.pem",
            "-startdate",
            from,
            "-enddate",
            to,
        ],
    );
}

/// Ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// What npm and Regreen say of a registry that shows that certificate and says that it is this date.
fn install(date: &str) -> String {
    let bare = Bare::new();
    let folder = bare.base();
    certificate(folder);
    let mut server = Command::new("node");
    server.args(["-e", &REGISTRY.replace("DATE", date)]).arg(folder).stdin(Stdio::null());
    let _server = Server(server.spawn().unwrap());
    let until = Instant::now() + Duration::from_secs(30);
    while !folder.join("port").exists() {
        assert!(Instant::now() < until, "the registry does not start");
        sleep(Duration::from_millis(10));
    }
    let port = fs::read_to_string(folder.join("port")).unwrap();
    fs::write(bare.work().join("package.json"), r#"{"name":"app","dependencies":{"a":"1"}}"#).unwrap();
    let mut command = bare.command(&["run", "--", "npm", "install", "--fetch-retries=0"]);
    command
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("CI", "true")
        .env("npm_config_registry", format!("https://localhost:{port}/"))
        .env("npm_config_cafile", folder.join("cert.pem"));
    let said = crate::said::tell(&mut command, folder);
    said.replace(&port, "[PORT]")
}

#[test]
fn a_wrong_clock_is_named_where_a_certificate_is_not_yet_valid() {
    let said = install("Fri, 01 Jun 2125 00:00:00 GMT");
    assert!(said.contains("code CERT_NOT_YET_VALID") && said.contains("trust-failure"), "{said}");
    let told = "behind what localhost:[PORT] says (Fri, 01 Jun 2125 00:00:00 GMT), so no certificate or signature can \
                be judged by it: set the clock first";
    assert!(said.contains("confirmed: this machine's clock is ") && said.contains(told), "{said}");
    assert!(said.contains("nothing was done (advice-only)"), "{said}");
    assert!(said.contains("= look: 1. is this machine's clock right") && said.contains("= whom: "), "{said}");
    // Where the clocks agree, it is the certificate.
    let now =
        Command::new("date").args(["-u", "+%a, %d %b %Y %H:%M:%S GMT"]).env("LC_ALL", "C").output().unwrap();
    let said = install(String::from_utf8(now.stdout).unwrap().trim());
    assert!(said.contains("trust-failure") && !said.contains("machine's clock is "), "{said}");
}
