//! A certificate for 127.0.0.1, made for one run.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// Files in PEM.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    /// Who signed the certificate: what a client has to trust.
    pub(crate) root: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Certificate {
    pub(crate) fn make(folder: &Path) -> Self {
        let root_key = KeyPair::generate().unwrap();
        let mut root = params("interop root");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let signed_root = root.self_signed(&root_key).unwrap();
        let issuer = Issuer::new(root, root_key);

        let key = KeyPair::generate().unwrap();
        let mut leaf = params("127.0.0.1");
        leaf.use_authority_key_identifier_extension = true;
        let signed = leaf.signed_by(&key, &issuer).unwrap();

        let file = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            path
        };
        Self {
            root: file("root.pem", signed_root.pem()),
            certificate: file("certificate.pem", signed.pem()),
            key: file("key.pem", key.serialize_pem()),
        }
    }
}

fn params(name: &str) -> CertificateParams {
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
