use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use framewire::announce::page;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

async fn ask(method: &str, path: &str) -> Response<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(Body::empty())
        .unwrap();
    TowerToHyperService::new(page::router())
        .call(request)
        .await
        .unwrap()
}

async fn text(response: Response<Body>) -> String {
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn header<'r>(response: &'r Response<Body>, name: &str) -> &'r str {
    let value = response
        .headers()
        .get(name)
        .unwrap_or_else(|| panic!("no {name}"));
    value.to_str().unwrap()
}

const FILES: [(&str, &str); 4] = [
    ("/", "text/html; charset=utf-8"),
    ("/app.css", "text/css; charset=utf-8"),
    ("/app.js", "text/javascript; charset=utf-8"),
    ("/icon.svg", "image/svg+xml"),
];

#[tokio::test]
async fn each_file_is_served_with_its_type_and_to_head_without_a_body() {
    for (path, kind) in FILES {
        let whole = ask("GET", path).await;
        assert_eq!(
            (whole.status(), header(&whole, "content-type")),
            (StatusCode::OK, kind)
        );
        let length = text(whole).await.len().to_string();
        let head = ask("HEAD", path).await;
        assert_eq!(
            (head.status(), header(&head, "content-type")),
            (StatusCode::OK, kind)
        );
        assert_eq!(header(&head, "content-length"), length);
        assert_eq!(text(head).await, "");
    }
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    for (method, path) in [
        ("GET", "/"),
        ("GET", "/nothing"),
        ("POST", "/"),
        ("HEAD", "/app.js"),
    ] {
        let response = ask(method, path).await;
        let policy = header(&response, "content-security-policy");
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(rule), "{method} {path}: {policy}");
        }
        assert!(!policy.contains("unsafe"));
        assert_eq!(header(&response, "x-content-type-options"), "nosniff");
        assert_eq!(header(&response, "referrer-policy"), "no-referrer");
        assert_eq!(header(&response, "x-frame-options"), "DENY");
        assert_eq!(header(&response, "cache-control"), "no-cache");
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_answered_plainly() {
    //= A28 type=test
    for path in [
        "/nothing",
        "/app.js/",
        "/..",
        "/index.html",
        "/%2e%2e/Cargo.toml",
    ] {
        let response = ask("GET", path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(
            header(&response, "content-type"),
            "text/plain; charset=utf-8"
        );
        assert_eq!(text(response).await, "not found\n");
    }
    let response = ask("POST", "/").await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(header(&response, "allow"), "GET,HEAD");
}

#[tokio::test]
async fn the_page_needs_no_other_host_and_no_inline_code() {
    let mut all = String::new();
    for (path, _) in FILES {
        all.push_str(&text(ask("GET", path).await).await);
    }
    let all = all.replace("http://www.w3.org/2000/svg", "");
    for forbidden in [
        "http:",
        "https://",
        "//cdn",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "localStorage",
        "document.cookie",
        "style=",
        "onclick=",
        "<style",
        "javascript:",
    ] {
        assert!(!all.contains(forbidden), "{forbidden}");
    }
}

#[tokio::test]
async fn the_page_has_the_handles_that_a_browser_test_takes() {
    let html = text(ask("GET", "/").await).await;
    for id in [
        "token",
        "sign-in",
        "sign-out",
        "who",
        "status",
        "publish-form",
        "title",
        "body",
        "publish",
        "unread",
        "read",
        "unread-count",
        "error",
        "mark-all",
    ] {
        assert_eq!(html.matches(&format!("id=\"{id}\"")).count(), 1, "{id}");
    }
    for label in ["token", "title", "body"] {
        assert!(
            html.contains(&format!("<label for=\"{label}\">")),
            "{label}"
        );
    }
    assert!(html.contains("framewire token --user alice --scope announce:public"));
    let script = text(ask("GET", "/app.js").await).await;
    for id in script
        .split("$(\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
    {
        assert!(
            html.contains(&format!("id=\"{id}\"")),
            "the script looks for {id}"
        );
    }
}

/// What a peer writes into a Close frame is for a log. The page has its own words for each code.
//= WS-101 type=test
#[tokio::test]
async fn the_page_never_shows_the_reason_of_a_close() {
    let script = text(ask("GET", "/app.js").await).await;
    assert!(
        script.contains("onclose = "),
        "the page sees that a socket closes"
    );
    for access in [".reason", "['reason']", "[\"reason\"]", "{ reason"] {
        assert!(!script.contains(access), "{access}");
    }
}
