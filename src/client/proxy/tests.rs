use super::*;
use alloc::string::ToString;

#[test]
fn proxies_are_read_with_their_defaults() {
    for (text, kind, host, port) in [
        ("proxy", ProxyKind::Http, "proxy", 80),
        ("proxy:3128", ProxyKind::Http, "proxy", 3128),
        ("http://proxy/", ProxyKind::Http, "proxy", 80),
        ("HTTPS://proxy", ProxyKind::Https, "proxy", 443),
        ("socks5://10.0.0.1", ProxyKind::Socks5, "10.0.0.1", 1080),
        ("socks5h://[::1]:9", ProxyKind::Socks5h, "::1", 9),
    ] {
        let proxy = Proxy::parse(text).unwrap();
        assert_eq!(
            (proxy.kind(), proxy.host(), proxy.port()),
            (kind, host, port)
        );
        assert_eq!(proxy.credentials(), None);
    }
    for (text, error) in [
        ("ftp://proxy", InvalidProxy::Scheme),
        ("http://", InvalidProxy::Host),
        ("http://a b", InvalidProxy::Host),
        ("http://a:b", InvalidProxy::Host),
        ("http://a:99999", InvalidProxy::Host),
        ("http://a/path", InvalidProxy::Host),
        ("http://u%3Av:w@a", InvalidProxy::Credentials),
        ("http://%ff@a", InvalidProxy::Credentials),
        ("socks5://u@a", InvalidProxy::Credentials),
    ] {
        assert_eq!(Proxy::parse(text), Err(error), "{text}");
    }
}

#[test]
fn credentials_are_decoded_and_never_printed() {
    let proxy = Proxy::parse("http://us%40er:pa%3Ass@proxy").unwrap();
    assert_eq!(proxy.credentials(), Some(("us@er", "pa:ss")));
    let expected = "Basic dXNAZXI6cGE6c3M=".to_string();
    assert_eq!(proxy.authorization(), Some(expected));
    let shown = format!("{:?}", Proxies::all(proxy));
    assert!(!shown.contains("us@") && !shown.contains("pa:"), "{shown}");
}

fn environment(variables: &[(&str, &str)]) -> Proxies {
    let get = |name: &str| {
        let found = variables.iter().find(|(it, _)| *it == name);
        found.map(|(_, value)| value.to_string())
    };
    Proxies::from_variables(get).unwrap()
}

fn host_for<'a>(proxies: &'a Proxies, url: &str) -> Option<&'a str> {
    proxies
        .proxy_for(&Url::parse(url).unwrap())
        .map(Proxy::host)
}

#[test]
fn the_environment_says_which_proxy_is_for_which_scheme() {
    let both = environment(&[
        ("http_proxy", "a"),
        ("HTTPS_PROXY", "b"),
        ("ALL_PROXY", "c"),
    ]);
    assert_eq!(host_for(&both, "ws://x/"), Some("a"));
    assert_eq!(host_for(&both, "wss://x/"), Some("b"));
    let all = environment(&[("all_proxy", "c"), ("http_proxy", "")]);
    assert_eq!(host_for(&all, "ws://x/"), Some("c"));
    assert_eq!(host_for(&all, "wss://x/"), Some("c"));
    assert_eq!(host_for(&environment(&[]), "ws://x/"), None);
    let lower_first = environment(&[("http_proxy", "a"), ("HTTP_PROXY", "b")]);
    assert_eq!(host_for(&lower_first, "ws://x/"), Some("a"));
}

#[test]
fn a_header_named_proxy_sets_no_proxy_in_a_cgi_program() {
    let cgi = [("REQUEST_METHOD", "GET"), ("HTTP_PROXY", "evil")];
    assert_eq!(host_for(&environment(&cgi), "ws://x/"), None);
    let cgi = [("REQUEST_METHOD", "GET"), ("http_proxy", "good")];
    assert_eq!(host_for(&environment(&cgi), "ws://x/"), Some("good"));
}

#[test]
fn exceptions_are_names_and_what_is_below_them_addresses_and_networks() {
    for (list, url, is_excepted) in [
        ("*", "ws://x/", true),
        ("example.com", "ws://example.com/", true),
        ("Example.COM", "ws://a.example.com./", true),
        (".example.com", "ws://a.example.com/", true),
        ("*.example.com", "ws://a.b.example.com/", true),
        ("example.com", "ws://notexample.com/", false),
        ("example.com", "ws://example.com.evil/", false),
        ("example.com:81", "ws://example.com:81/", true),
        ("example.com:81", "ws://example.com/", false),
        ("10.1.2.3", "ws://10.1.2.3/", true),
        ("10.1.2.3", "ws://10.1.2.31/", false),
        ("10.0.0.0/8", "ws://10.200.2.3/", true),
        ("10.0.0.0/8", "ws://11.0.0.1/", false),
        ("::1", "ws://[::1]/", true),
        ("[::1]:81", "ws://[::1]:81/", true),
        ("[::1]:81", "ws://[::1]/", false),
        ("fe80::/10", "ws://[fe80::7]/", true),
        ("127.0.0.0/8", "ws://[::ffff:127.0.0.1]/", true),
        ("a, b c", "ws://c/", true),
        ("", "ws://x/", false),
    ] {
        let proxies = Proxies::all(Proxy::parse("p").unwrap()).with_exceptions(list);
        assert_eq!(
            host_for(&proxies, url).is_none(),
            is_excepted,
            "{list} {url}"
        );
    }
}
