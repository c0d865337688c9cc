//! The keys of signing in.

use crate::announce::config::rule::{CLAIM, COOKIE, FILE, HTTP_URL, ID, ORIGIN, VARIABLE, WORDS};
use crate::announce::config::table::row::Kind::{Choice, Choices, Map, Maps, Text, Texts, Time};
use crate::announce::config::table::row::Presence::{Default, Optional, Required};
use crate::announce::config::table::row::table;

const ALGORITHMS: &[&str] = &["HS256", "RS256", "ES256", "EdDSA"];

table! { ROWS:
    "auth" Map, Optional, Reload,
        "Who somebody is.";
    "auth.tokens" Map, Optional, Reload,
        "Which tokens are believed.";
    "auth.tokens.algorithms" Choices(ALGORITHMS), Default("HS256"), Reload,
        "The algorithms that are taken.";
    //= A18
    "auth.tokens.secret_env" Text(VARIABLE), Default("API_secret"), Reload,
        "The environment variable with the secret of the HS algorithms. Where API_secret is \
        not set, a secret is generated and kept in the data folder.";
    "auth.tokens.secret_file" Text(FILE), Optional, Reload,
        "The file with that secret, instead of the variable.";
    "auth.tokens.previous_secret_env" Text(VARIABLE), Optional, Reload,
        "The environment variable with the secret before, whose tokens are believed until \
        they end.";
    "auth.tokens.keys" Maps(100), Optional, Reload,
        "Public keys.";
    "auth.tokens.keys[].pem_file" Text(FILE), Required, Reload,
        "The file with the key in PEM.";
    "auth.tokens.keys[].algorithm" Choice(ALGORITHMS), Required, Reload,
        "The one algorithm that the key is for.";
    "auth.tokens.keys[].kid" Text(ID), Optional, Reload,
        "The `kid` of tokens that it verifies.";
    "auth.tokens.keys[].issuer" Text(WORDS), Optional, Reload,
        "The `iss` of tokens that it verifies.";
    "auth.tokens.jwks_file" Text(FILE), Optional, Reload,
        "The file with a set of keys (JWKS).";
    "auth.tokens.jwks_url" Text(HTTP_URL), Optional, Reload,
        "Where a set of keys (JWKS) is fetched.";
    "auth.tokens.issuer" Text(WORDS), Optional, Reload,
        "What `iss` has to be.";
    "auth.tokens.audience" Text(WORDS), Optional, Reload,
        "What `aud` has to be or to contain.";
    "auth.tokens.user_claim" Texts(CLAIM), Default("preferred_username, sub"), Reload,
        "The claims that name the person; the first that is there does.";
    "auth.tokens.namespace_claim" Text(CLAIM), Default("namespaces"), Reload,
        "The claim that lists the namespaces.";
    "auth.tokens.scope_claim" Text(CLAIM), Default("scope"), Reload,
        "The claim that lists the scopes.";
    "auth.tokens.roles_claim" Text(CLAIM), Default("roles"), Reload,
        "The claim that lists the roles.";
    "auth.tokens.channels_claim" Texts(CLAIM), Default("channels, groups"), Reload,
        "The claims that list the channels; the first that is there does.";
    "auth.tokens.skew" Time(0, 300_000), Default("30s"), Reload,
        "How far the clocks may be apart.";
    "auth.cookie" Text(COOKIE), Default("ID_TOKEN"), Reload,
        "The cookie that may hold the token. It is looked at only where origins are listed.";
    "auth.auth_timeout" Time(100, 600_000), Default("10s"), Reload,
        "How long a connection may take to sign in.";
    "auth.expiry_grace" Time(0, 3_600_000), Default("25s"), Reload,
        "How long before its token ends a connection is told, so that it can bring a new one.";
    "origins" Texts(ORIGIN), Default(""), Reload,
        "The origins whose pages may connect; with none, pages of the server's own origin.";
}
