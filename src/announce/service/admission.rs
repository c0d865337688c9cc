//! What a request for a socket says before the connection is open: where it goes, how it speaks,
//! and who it comes from.

use alloc::string::String;
use std::time::SystemTime;

use percent_encoding::percent_decode_str;

use crate::announce::desk::Desk;
use crate::announce::dialect::Dialect;
use crate::announce::service::settings::Settings;
use crate::announce::token::{Claims, TokenError};
use crate::engine::{Refusal, UpgradeRequest};

/// The longest query that is read, in bytes.
const QUERY_BYTES_MAX: usize = 4096;

/// What a subprotocol begins with that holds a token.
const TOKEN_PREFIX: &str = "token.";

/// What is settled before a connection is open.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) dialect: Dialect,
    /// The subprotocol to answer with.
    pub(crate) subprotocol: Option<&'static str>,
    /// The namespace that the query asks for.
    pub(crate) namespace: Option<String>,
    /// What the token says that came with the request, where one did.
    pub(crate) claims: Option<Claims>,
}

/// Why a request is refused: the answer, and for the log what was wrong with a token.
#[derive(Debug)]
pub(crate) struct NotAdmitted {
    pub(crate) refusal: Refusal,
    pub(crate) token: Option<TokenError>,
}

impl From<Refusal> for NotAdmitted {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            token: None,
        }
    }
}

/// Looks at a request.
pub(crate) fn admit(
    desk: &Desk,
    settings: &Settings,
    request: &UpgradeRequest,
    is_tls: bool,
    now: SystemTime,
) -> Result<Admission, NotAdmitted> {
    //= B24
    settings.hosts.check(request.head(), is_tls)?;
    //= A28
    //= B04
    let endpoint = settings
        .endpoints
        .iter()
        .find(|endpoint| endpoint.path == request.path())
        .ok_or_else(Refusal::not_found)?;
    //= A33
    //= B23
    let origins = match (endpoint.dialect, &settings.gateway_origins) {
        (Dialect::Gateway, Some(origins)) => origins,
        _ => &settings.origins,
    };
    origins.check(request, is_tls)?;
    let asked = Dialect::ALL.into_iter().find(|dialect| {
        request
            .subprotocols()
            .iter()
            .any(|it| it == dialect.subprotocol())
    });
    let mut query = Query::read(request.query())?;
    let dialect = asked.unwrap_or(endpoint.dialect);
    //= B26
    if dialect == Dialect::Gateway && query.namespace.is_none() {
        if settings.gateway_namespace_required {
            return Err(Refusal::bad_request("name the namespace in the query").into());
        }
        query.namespace.clone_from(&settings.gateway_namespace);
    }
    let claims = match token(settings, request) {
        None => None,
        Some(token) => Some(verify(desk, token, query.namespace.as_deref(), now)?),
    };
    Ok(Admission {
        dialect,
        subprotocol: asked.map(Dialect::subprotocol),
        namespace: query.namespace,
        claims,
    })
}

fn verify(
    desk: &Desk,
    token: &str,
    namespace: Option<&str>,
    now: SystemTime,
) -> Result<Claims, NotAdmitted> {
    let claims = desk.verify(token, now).map_err(|error| NotAdmitted {
        refusal: Refusal::unauthorized("the token does not verify"),
        token: Some(error),
    })?;
    //= AU-40
    let fits = namespace.is_none_or(|asked| claims.namespaces().iter().any(|it| it == asked));
    if !fits {
        let refusal = Refusal::forbidden("the token does not give access to this namespace");
        return Err(refusal.into());
    }
    Ok(claims)
}

/// The token that came with a request: in a subprotocol, which is never repeated in the answer,
/// or in the cookie.
fn token<'r>(settings: &Settings, request: &'r UpgradeRequest) -> Option<&'r str> {
    let offered = request.subprotocols().iter();
    let mut tokens = offered.filter_map(|it| it.strip_prefix(TOKEN_PREFIX));
    tokens.next().or_else(|| {
        let name = settings.cookie.as_deref()?;
        cookie(request.head().headers().get_str("cookie")?, name)
    })
}

/// The value of a cookie (RFC 6265 §4.2).
fn cookie<'h>(header: &'h str, name: &str) -> Option<&'h str> {
    header.split(';').find_map(|pair| {
        let (found, value) = pair.trim().split_once('=')?;
        let value = value.trim_matches('"');
        (found == name && !value.is_empty()).then_some(value)
    })
}

/// What a client may say in the query. A token is not among it: queries stand in logs.
#[derive(Debug, Default)]
struct Query {
    namespace: Option<String>,
}

impl Query {
    /// Reads the part behind the first `?`.
    //= A40
    //= A41
    fn read(query: Option<&str>) -> Result<Self, Refusal> {
        let Some(query) = query else {
            return Ok(Self::default());
        };
        if query.len() > QUERY_BYTES_MAX {
            return Err(Refusal::bad_request("the query is too long"));
        }
        let mut read = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "namespace" => {
                    let value = percent_decode_str(value)
                        .decode_utf8()
                        .map_err(|_| Refusal::bad_request("the namespace is not UTF-8"))?;
                    //= B05
                    if !is_namespace(&value) {
                        return Err(Refusal::bad_request(
                            "a namespace has 1 to 64 letters, digits, '_', '.' or '-'",
                        ));
                    }
                    if read.namespace.replace(value.into_owned()).is_some() {
                        return Err(Refusal::bad_request("the query names two namespaces"));
                    }
                }
                "token" | "access_token" | "APIToken" => {
                    return Err(Refusal::bad_request(
                        "a token in the query would end in logs: send it in the first message",
                    ));
                }
                _ => {}
            }
        }
        Ok(read)
    }
}

fn is_namespace(text: &str) -> bool {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=64).contains(&text.len()) && text.bytes().all(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespace(query: &str) -> Result<Option<String>, String> {
        Query::read(Some(query))
            .map(|read| read.namespace)
            .map_err(|refusal| String::from(refusal.body()))
    }

    #[test]
    fn a_query_names_one_namespace() {
        //= A40 type=test
        assert_eq!(namespace("namespace=acme&x=1?y"), Ok(Some("acme".into())));
        assert_eq!(namespace("namespace=ac%6De"), Ok(Some("acme".into())));
        assert_eq!(namespace("x"), Ok(None));
        for wrong in [
            "namespace=a&namespace=a",
            "namespace=",
            "namespace=a%2Fb",
            "namespace=a%00",
            "namespace=%ff",
            "namespace=%C3%A5",
            "token=abc",
        ] {
            assert!(namespace(wrong).is_err(), "{wrong}");
        }
        let long = alloc::format!("x={}", "y".repeat(QUERY_BYTES_MAX));
        assert!(namespace(&long).is_err());
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        //= B22 type=test
        let header = r#"a=1; ID_TOKEN=abc; XID_TOKEN=no; q="quoted""#;
        assert_eq!(cookie(header, "ID_TOKEN"), Some("abc"));
        assert_eq!(cookie(header, "q"), Some("quoted"));
        for missing in ["TOKEN", "id_token", "b"] {
            assert_eq!(cookie(header, missing), None);
        }
        assert_eq!(cookie("ID_TOKEN=", "ID_TOKEN"), None);
    }
}
