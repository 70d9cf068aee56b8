//! A certificate authority and a server certificate for one test, made by the `openssl` command.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tool;

/// The files that a TLS server needs.
#[derive(Debug)]
pub(crate) struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// Makes an authority and a certificate for 127.0.0.1 and localhost in `folder`, valid for two days.
    pub(crate) fn generate(folder: &Path) -> Self {
        let certificates = Self {
            folder: folder.to_path_buf(),
        };
        certificates.openssl(&[
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2",
            "-subj /CN=celeriac-test-ca -keyout ca.key -out ca.crt",
        ]);
        certificates.openssl(&[
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes",
            "-subj /CN=localhost -keyout server.key -out server.csr",
        ]);
        fs::write(folder.join("server.ext"), EXTENSIONS)
            .expect("the server's temporary folder is writable");
        certificates.openssl(&[
            "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2",
            "-extfile server.ext -out server.crt",
        ]);
        certificates
    }

    /// The authority's certificate, PEM.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.join("ca.crt")
    }

    /// The directives that put TLS on `port` and nothing else.
    pub(crate) fn directives(&self, port: u16) -> String {
        let folder = self.folder.display();
        format!(
            "port 0\ntls-port {port}\ntls-auth-clients no\ntls-ca-cert-file {folder}/ca.crt\n\
             tls-cert-file {folder}/server.crt\ntls-key-file {folder}/server.key\n"
        )
    }

    fn openssl(&self, lines: &[&str]) {
        let arguments = lines.join(" ");
        tool::run(
            Command::new(tool::require("openssl", "openssl"))
                .args(arguments.split(' '))
                .current_dir(&self.folder),
        );
    }
}

/// What makes it a server certificate that a strict client accepts.
const EXTENSIONS: &str = "basicConstraints=critical,CA:FALSE\n\
    extendedKeyUsage=serverAuth\n\
    subjectAltName=IP:127.0.0.1,DNS:localhost\n";
