//! Opens connections: address, TLS, credentials, database.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use broker::Result;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo,
    IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo, RedisError, RedisResult,
    TlsCertificates,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::Driver;
use crate::error::{explain, invalid};
use crate::options::{Address, RedisOptions, TlsOptions};

/// Requests that wait to be written; more wait at their senders.
const BUFFER: usize = 1_024;

/// Opens connections to one server; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    server: String,
    connect_timeout: Duration,
    response_timeout: Duration,
}

impl Connector {
    /// Reads the TLS files; connects to nothing yet.
    pub(crate) fn new(options: &RedisOptions) -> Result<Self> {
        let server = options.server();
        let client = client(options)?.map_err(|error| explain("prepare TLS", &server, error))?;
        let (connect_timeout, response_timeout) =
            (options.connect_timeout, options.response_timeout);
        Ok(Self {
            inner: Arc::new(Inner {
                client,
                server,
                connect_timeout,
                response_timeout,
            }),
        })
    }

    /// The server's name for messages.
    pub(crate) fn server(&self) -> &str {
        &self.inner.server
    }

    /// A new connection. One without TLS is driven by whoever sends on it; the client drives the others by itself.
    pub(super) async fn open(
        &self,
        config: AsyncConnectionConfig,
    ) -> RedisResult<(MultiplexedConnection, Option<Driver>)> {
        let config = config
            .set_connection_timeout(Some(self.inner.connect_timeout))
            .set_response_timeout(Some(self.inner.response_timeout))
            .set_pipeline_buffer_size(BUFFER);
        let opening = async {
            match self.inner.client.get_connection_info().addr() {
                ConnectionAddr::Tcp(host, port) => {
                    let stream = TcpStream::connect((host.as_str(), *port)).await?;
                    stream.set_nodelay(true)?;
                    self.drive(stream, config).await
                }
                ConnectionAddr::Unix(path) => {
                    self.drive(UnixStream::connect(path).await?, config).await
                }
                _ => {
                    let client = &self.inner.client;
                    let connection = client.get_multiplexed_async_connection_with_config(&config);
                    Ok((connection.await?, None))
                }
            }
        };
        let opened = tokio::time::timeout(self.inner.connect_timeout, opening).await;
        opened.map_err(|elapsed| RedisError::from(io::Error::from(elapsed)))?
    }

    async fn drive(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        config: AsyncConnectionConfig,
    ) -> RedisResult<(MultiplexedConnection, Option<Driver>)> {
        let info = self.inner.client.get_connection_info().redis_settings();
        let opened = MultiplexedConnection::new_with_config(info, stream, config).await;
        let (connection, steps) = opened?;
        Ok((connection, Some(Driver::start(steps))))
    }
}

fn client(options: &RedisOptions) -> Result<RedisResult<Client>> {
    Ok(match &options.address {
        Address::Unix(path) => {
            info(ConnectionAddr::Unix(path.clone()), options).and_then(Client::open)
        }
        Address::Tcp {
            host,
            port,
            tls: None,
        } => info(ConnectionAddr::Tcp(host.clone(), *port), options).and_then(Client::open),
        Address::Tcp {
            host,
            port,
            tls: Some(tls),
        } => {
            let certificates = certificates(tls)?;
            let address = ConnectionAddr::TcpTls {
                host: host.clone(),
                port: *port,
                insecure: !tls.verify,
                tls_params: None,
            };
            tls_client(address, tls, certificates, options)
        }
    })
}

fn tls_client(
    address: ConnectionAddr,
    tls: &TlsOptions,
    certificates: TlsCertificates,
    options: &RedisOptions,
) -> RedisResult<Client> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Somebody else being faster is as good.
        let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    let client = Client::build_with_tls(info(address, options)?, certificates)?;
    if tls.check_hostname {
        return Ok(client);
    }
    let info = client.get_connection_info().clone();
    let mut address = info.addr().clone();
    address.set_danger_accept_invalid_hostnames(true);
    Client::open(info.set_addr(address))
}

fn info(address: ConnectionAddr, options: &RedisOptions) -> RedisResult<ConnectionInfo> {
    let mut settings = RedisConnectionInfo::default()
        .set_db(i64::from(options.db))
        .set_protocol(ProtocolVersion::RESP3);
    if let Some(username) = &options.username {
        settings = settings.set_username(username);
    }
    if let Some(password) = &options.password {
        settings = settings.set_password(&password.0);
    }
    let info = address.into_connection_info()?;
    let tcp = info.tcp_settings().clone().set_nodelay(true);
    Ok(info.set_redis_settings(settings).set_tcp_settings(tcp))
}

fn certificates(tls: &TlsOptions) -> Result<TlsCertificates> {
    let client_tls = match (&tls.cert_file, &tls.key_file) {
        (Some(certificate), key) => {
            // As in Python, one file may hold both.
            let key = key.as_ref().unwrap_or(certificate);
            Some(ClientTlsConfig {
                client_cert: read("ssl_certfile", certificate)?,
                client_key: read("ssl_keyfile", key)?,
            })
        }
        (None, Some(_)) => return Err(invalid("ssl_keyfile needs ssl_certfile")),
        (None, None) => None,
    };
    let root_cert = tls
        .ca_file
        .as_deref()
        .map(|file| read("ssl_ca_certs", file))
        .transpose()?;
    Ok(TlsCertificates {
        client_tls,
        root_cert,
    })
}

fn read(name: &str, file: &Path) -> Result<Vec<u8>> {
    fs::read(file).map_err(|error| {
        broker::BrokerError::with_source(
            broker::ErrorKind::NotFound,
            format!("cannot read {name} {}: {error}", file.display()),
            error,
        )
    })
}
