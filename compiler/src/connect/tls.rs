//! TLS as libpq's sslmode has it: `require` encrypts, `verify-ca` asks who signed the certificate, `verify-full`
//! also whose it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::settings::{Environment, Settings};

/// How much of TLS is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Disable,
    Allow,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    /// The mode of a setting; `None` for an unknown word.
    pub(super) fn of(settings: &Settings) -> Option<Self> {
        Some(match settings.get("sslmode") {
            None if settings.get("sslrootcert") == Some("system") => Self::VerifyFull,
            None | Some("prefer") => Self::Prefer,
            Some("disable") => Self::Disable,
            Some("allow") => Self::Allow,
            Some("require") => Self::Require,
            Some("verify-ca") => Self::VerifyCa,
            Some("verify-full") => Self::VerifyFull,
            Some(_) => return None,
        })
    }
}

/// How much of the server's certificate is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    Nothing,
    Signer,
    SignerAndName,
}

/// What makes encrypted connections under these settings.
pub(super) fn connector(
    mode: Mode,
    settings: &Settings,
    environment: Environment<'_>,
) -> Result<MakeRustlsConnect, String> {
    let home = environment("HOME").unwrap_or_default();
    let own = |name: &str| Path::new(&home).join(".postgresql").join(name);
    let roots = settings.get("sslrootcert").map_or_else(|| own("root.crt"), PathBuf::from);
    let system = settings.get("sslrootcert") == Some("system");
    let check = match mode {
        Mode::VerifyFull => Check::SignerAndName,
        Mode::VerifyCa => Check::Signer,
        // As libpq has it: a file with trusted certificates makes `require` use it.
        Mode::Require if system || roots.exists() => Check::Signer,
        _ => Check::Nothing,
    };
    let provider = Arc::new(ring::default_provider());
    let inner = match check {
        Check::Nothing => None,
        _ => {
            let store = if system { system_roots()? } else { file_roots(&roots)? };
            let verifier =
                WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider));
            Some(verifier.build().map_err(|error| format!("{}: {error}", roots.display()))?)
        }
    };
    let verifier = Arc::new(Verifier { check, inner, provider: Arc::clone(&provider) });
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let certificate = settings.get("sslcert").map_or_else(|| own("postgresql.crt"), PathBuf::from);
    let key = settings.get("sslkey").map_or_else(|| own("postgresql.key"), PathBuf::from);
    let config = if settings.get("sslcert").is_some() || certificate.exists() {
        let (chain, key) = identity(&certificate, &key)?;
        builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| format!("{}: {error}", certificate.display()))?
    } else {
        builder.with_no_client_auth()
    };
    Ok(MakeRustlsConnect::new(config))
}

fn system_roots() -> Result<RootCertStore, String> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if store.is_empty() {
        Err("this machine has no trusted certificates of its own".into())
    } else {
        Ok(store)
    }
}

fn file_roots(path: &Path) -> Result<RootCertStore, String> {
    let wrong = |error: &dyn std::fmt::Display| {
        format!(
            "{}: {error}; this file holds the certificates that sslmode verify-ca and verify-full trust, \
             another is named with sslrootcert, and sslrootcert=system takes this machine's",
            path.display()
        )
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))? {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        store.add(certificate).map_err(|error| wrong(&error))?;
    }
    if store.is_empty() { Err(wrong(&"no certificate in it")) } else { Ok(store) }
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn identity(certificate: &Path, key: &Path) -> Result<Identity, String> {
    let wrong = |path: &Path, error: rustls::pki_types::pem::Error| format!("{}: {error}", path.display());
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| wrong(certificate, error))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, error))?;
    Ok((chain, key))
}

/// Checks as much of the server's certificate as the mode wants; that the server holds its key is always checked.
#[derive(Debug)]
struct Verifier {
    check: Check,
    inner: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(inner) = &self.inner else { return Ok(ServerCertVerified::assertion()) };
        let verdict = inner.verify_server_cert(certificate, intermediates, name, response, now);
        match verdict {
            // The name is looked at last, so everything else was in order.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.check == Check::Signer => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
