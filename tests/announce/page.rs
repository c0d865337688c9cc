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

const FILES: [(&str, &str); 26] = [
    ("/", "text/html; charset=utf-8"),
    ("/console", "text/html; charset=utf-8"),
    ("/access.js", "text/javascript; charset=utf-8"),
    ("/announcements.js", "text/javascript; charset=utf-8"),
    ("/api.js", "text/javascript; charset=utf-8"),
    ("/base.css", "text/css; charset=utf-8"),
    ("/compose.js", "text/javascript; charset=utf-8"),
    ("/connection.js", "text/javascript; charset=utf-8"),
    ("/console.css", "text/css; charset=utf-8"),
    ("/console.js", "text/javascript; charset=utf-8"),
    ("/details.js", "text/javascript; charset=utf-8"),
    ("/dom.js", "text/javascript; charset=utf-8"),
    ("/entry.js", "text/javascript; charset=utf-8"),
    ("/icon.svg", "image/svg+xml"),
    ("/inbox.css", "text/css; charset=utf-8"),
    ("/inbox.js", "text/javascript; charset=utf-8"),
    ("/lists.js", "text/javascript; charset=utf-8"),
    ("/mail.js", "text/javascript; charset=utf-8"),
    ("/overview.js", "text/javascript; charset=utf-8"),
    ("/panel.js", "text/javascript; charset=utf-8"),
    ("/plots.js", "text/javascript; charset=utf-8"),
    ("/publish.js", "text/javascript; charset=utf-8"),
    ("/schedules.js", "text/javascript; charset=utf-8"),
    ("/theme.js", "text/javascript; charset=utf-8"),
    ("/token.js", "text/javascript; charset=utf-8"),
    ("/words.js", "text/javascript; charset=utf-8"),
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
        ("HEAD", "/inbox.js"),
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
        "/inbox.js/",
        "/..",
        "/index.html",
        "/console/",
        "/console.html",
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

//= C18 type=test
//= C19 type=test
//= E28 type=test
#[tokio::test]
async fn the_pages_need_no_other_host_and_no_inline_code() {
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
}

/// The identifiers that a script looks for with `$("…")`.
fn wanted(script: &str) -> impl Iterator<Item = &str> {
    let calls = script.split("$(\"").skip(1);
    calls.map(|rest| rest.split('"').next().unwrap())
}

/// The modules that a script and what it imports are made of.
async fn modules(first: &str) -> Vec<String> {
    let mut names = vec![first.to_owned()];
    let mut texts = Vec::new();
    while let Some(name) = names.get(texts.len()) {
        let text = text(ask("GET", &format!("/{name}")).await).await;
        for rest in text.split(" from \"./").skip(1) {
            let imported = rest.split('"').next().unwrap().to_owned();
            if !names.contains(&imported) {
                names.push(imported);
            }
        }
        texts.push(text);
    }
    texts
}

#[tokio::test]
async fn what_the_scripts_look_for_stands_on_their_page() {
    for (page, first) in [("/", "inbox.js"), ("/console", "console.js")] {
        let html = text(ask("GET", page).await).await;
        let modules = modules(first).await;
        assert!(modules.len() > 5, "{page} has {} modules", modules.len());
        for id in modules.iter().flat_map(|script| wanted(script)) {
            let id = format!("id=\"{id}\"");
            assert_eq!(html.matches(&id).count(), 1, "{page} and {id}");
        }
    }
}

#[tokio::test]
async fn every_file_belongs_to_a_page() {
    let mut all = String::new();
    for (path, _) in FILES {
        all.push_str(&text(ask("GET", path).await).await);
    }
    for (path, _) in FILES.iter().skip(2) {
        let name = path.trim_start_matches('/');
        let is_used = [format!("\"{name}\""), format!("\"./{name}\"")];
        assert!(is_used.iter().any(|it| all.contains(it)), "{name}");
    }
}

/// RFC 9110 §13.1.2.
#[tokio::test]
async fn what_a_browser_has_already_is_not_sent_again() {
    for (path, _) in FILES {
        let tag = header(&ask("GET", path).await, "etag").to_owned();
        assert!(tag.starts_with('"') && tag.len() > 20, "{path}: {tag}");
        for (known, status) in [
            (tag.clone(), StatusCode::NOT_MODIFIED),
            (format!("W/{tag}"), StatusCode::NOT_MODIFIED),
            (format!("\"other\", {tag}"), StatusCode::NOT_MODIFIED),
            ("*".to_owned(), StatusCode::NOT_MODIFIED),
            ("\"other\"".to_owned(), StatusCode::OK),
            (tag.trim_matches('"').to_owned(), StatusCode::OK),
        ] {
            let request = Request::get(path).header("if-none-match", &known);
            let request = request.body(Body::empty()).unwrap();
            let service = TowerToHyperService::new(page::router());
            let response = service.call(request).await.unwrap();
            assert_eq!(response.status(), status, "{path} {known}");
            assert_eq!(header(&response, "etag"), tag);
            let is_empty = text(response).await.is_empty();
            assert_eq!(
                is_empty,
                status == StatusCode::NOT_MODIFIED,
                "{path} {known}"
            );
        }
    }
}

/// What a peer writes into a Close frame is for a log. The page has its own words for each code.
//= WS-101 type=test
#[tokio::test]
async fn the_page_never_shows_the_reason_of_a_close() {
    let script = modules("inbox.js").await.concat();
    assert!(
        script.contains("onclose = "),
        "the page sees that a socket closes"
    );
    for access in [".reason", "['reason']", "[\"reason\"]", "{ reason"] {
        assert!(!script.contains(access), "{access}");
    }
}
