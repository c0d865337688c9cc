//! The document of the API, and whether the server keeps to it.

use serde_json::Value;

use crate::house::{Answer, House};

const DOCUMENT: &str = include_str!("../../src/announce/http/openapi.json");

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

#[test]
fn routes_and_document_name_the_same() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut told: Vec<(String, String)> = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            told.push((method.to_uppercase(), path.clone()));
        }
    }
    let routes = framewire::announce::http::routes().into_iter();
    let mut routes: Vec<_> = routes
        .map(|(m, path)| (m.to_string(), path.to_owned()))
        .collect();
    told.sort();
    routes.sort();
    assert_eq!(told, routes);
}

/// Holds an answer to what the document says of it.
pub(crate) fn check(method: &str, target: &str, answer: &Answer) {
    let document = document();
    let path = target.split('?').next().unwrap();
    let fits = |template: &str| {
        let (wanted, given) = (template.split('/'), path.split('/'));
        wanted.clone().count() == given.clone().count()
            && wanted.zip(given).all(|(w, g)| w == g || w.starts_with('{'))
    };
    let paths = document["paths"].as_object().unwrap();
    let Some((_, methods)) = paths.iter().find(|(template, _)| fits(template)) else {
        assert_eq!(answer.status, 404);
        return;
    };
    let operation = &methods[method.to_lowercase()];
    if operation.is_null() {
        assert_eq!(answer.status, 405);
        return;
    }
    let response = &operation["responses"][answer.status.to_string()];
    let response = if response.is_null() {
        &operation["responses"]["default"]
    } else {
        response
    };
    assert!(
        !response.is_null(),
        "{method} {target}: {} is not told",
        answer.status
    );
    let response = resolve(&document, response);
    let schema = &response["content"]["application/json"]["schema"];
    if schema.is_null() {
        return;
    }
    validate(
        &document,
        schema,
        &answer.json(),
        &format!("{method} {target} {}", answer.status),
    );
}

fn resolve<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value["$ref"].as_str() {
        Some(to) => document.pointer(&to[1..]).unwrap(),
        None => value,
    }
}

/// The part of JSON Schema that the document uses.
fn validate(document: &Value, schema: &Value, value: &Value, at: &str) {
    let schema = resolve(document, schema);
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().map(|it| it.as_str().unwrap()).collect(),
        _ => return,
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(
        kinds.contains(&kind),
        "{at}: {kind} where {kinds:?}: {value}"
    );
    if let Some(allowed) = schema["enum"].as_array() {
        assert!(
            allowed.contains(value),
            "{at}: {value} is none of {allowed:?}"
        );
    }
    for item in value.as_array().into_iter().flatten() {
        validate(document, &schema["items"], item, at);
    }
    let Some(members) = value.as_object() else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap();
        assert!(
            members.contains_key(name),
            "{at}: {name} is missing: {value}"
        );
    }
    for (name, member) in members {
        let own = &schema["properties"][name];
        let rest = &schema["additionalProperties"];
        assert!(
            !own.is_null() || *rest != Value::Bool(false),
            "{at}: {name} is not told"
        );
        let schema = if own.is_null() { rest } else { own };
        if schema.is_object() {
            validate(document, schema, member, &format!("{at}.{name}"));
        }
    }
}

#[tokio::test]
async fn the_document_and_health_need_no_token() {
    let house = House::open().await;
    for (path, begins) in [
        ("/openapi.json", "{\n"),
        ("/health/live", "{\"status\":\"ok\"}"),
        ("/health/ready", "{\"status\":\"ok\"}"),
    ] {
        let answer = house
            .raw(&format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n"))
            .await;
        assert_eq!(answer.status, 200);
        assert!(answer.body.starts_with(begins), "{}", answer.body);
    }
    let page = house.raw("GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(page.status == 200 && page.head.contains("text/html"));
    house.close().await;
}

#[tokio::test]
async fn wrong_paths_and_methods_are_told_apart() {
    let house = House::open().await;
    for (request, status, code) in [
        ("GET /api/v1/nothing", 404, "not_found"),
        ("GET /admin/other", 404, "not_found"),
        ("DELETE /api/v1/announcements", 405, "wrong_method"),
        ("PUT /health/live", 405, "wrong_method"),
    ] {
        let answer = house
            .raw(&format!("{request} HTTP/1.1\r\nHost: h\r\n\r\n"))
            .await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{request}"
        );
        assert_eq!(
            status == 405,
            answer.head.contains("\r\nallow: "),
            "{}",
            answer.head
        );
    }
    house.close().await;
}
