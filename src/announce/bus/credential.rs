//! Who a producer is, and where it may publish.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};

use crate::announce::bus::topic::Topic;

/// The scope for sending to the sockets of persons.
pub const SEND_SCOPE: &str = "send";

/// The scope for sending to every socket of a namespace.
pub const BROADCAST_SCOPE: &str = "broadcast";

/// The scope for leaving the own namespace.
pub const ANY_NAMESPACE_SCOPE: &str = "send:any-namespace";

/// Who a producer is, and where it may publish: nowhere, unless a scope says so. The scope
/// `bus:<topic>` permits one topic; `send` and `broadcast` those with that meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    name: String,
    namespace: Option<String>,
    scopes: BTreeSet<String>,
    is_server: bool,
}

impl Credential {
    /// The credential of somebody, in one namespace. `name` and `namespace` have to come from
    /// claims that were verified.
    #[must_use]
    pub fn new(name: &str, namespace: &str, scopes: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            namespace: Some(namespace.to_owned()),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            is_server: false,
        }
    }

    /// The server's own credential, which may publish anywhere and belongs to no namespace.
    #[must_use]
    pub fn server() -> Self {
        Self {
            name: "server".to_owned(),
            namespace: None,
            scopes: BTreeSet::new(),
            is_server: true,
        }
    }

    /// Who it is, for the log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its namespace. The server's own has none.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Whether it may leave its namespace.
    #[must_use]
    pub fn is_for_any_namespace(&self) -> bool {
        self.is_server || self.scopes.contains(ANY_NAMESPACE_SCOPE)
    }

    /// Whether it may publish on a topic, of which `scope` is the meaning where it has one.
    #[must_use]
    pub fn allows(&self, topic: &Topic, scope: Option<&str>) -> bool {
        //= B50
        self.is_server
            || scope.is_some_and(|scope| self.scopes.contains(scope))
            || self.scopes.contains(&format!("bus:{topic}"))
    }

    /// Whether two credentials are the same producer, scopes aside.
    pub(crate) fn key(&self) -> (bool, &str, &str) {
        let namespace = self.namespace.as_deref().unwrap_or_default();
        (self.is_server, namespace, &self.name)
    }
}
