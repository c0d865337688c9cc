//! Takes a request target apart.

/// The path and the query of a request target.
///
/// A target is `/path?query`, or a whole `http` or `https` URI with a host, whose empty
/// path is `/` (RFC 6455 §4.2.1). The query comes without its `?`, and an empty one is
/// not none. Anything else gives `None`: `*`, a host alone, another scheme, user
/// information, a fragment, a space, a control character, a byte beyond ASCII.
#[must_use]
pub fn split_target(target: &str) -> Option<(&str, Option<&str>)> {
    //= WS-046
    if target
        .bytes()
        .any(|byte| !byte.is_ascii_graphic() || byte == b'#')
    {
        return None;
    }
    let relative = if target.starts_with('/') {
        target
    } else {
        after_authority(target)?
    };
    let (path, query) = match relative.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (relative, None),
    };
    Some((if path.is_empty() { "/" } else { path }, query))
}

/// What follows the host of a whole URI: nothing, a path, or a query.
fn after_authority(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
        return None;
    }
    let (authority, relative) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let has_host = !authority.is_empty() && !authority.starts_with(':');
    (has_host && !authority.contains('@')).then_some(relative)
}
