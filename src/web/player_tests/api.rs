//! The API, held against its own description.

use super::*;
use serde_json::Value;

const DESCRIPTION: &str = include_str!("../../../docs/openapi.json");

/// What is wrong with a value by its schema, as far as our description uses schemas.
fn misfit(root: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).expect(reference);
        return misfit(root, target, value, at);
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().map(|one| one.as_str().unwrap()).collect(),
        other => panic!("{at}: a schema without a type: {other}"),
    };
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_u64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !types.contains(&is) {
        return Some(format!("{at} is {is}, not {types:?}"));
    }
    if let Value::Array(items) = value {
        return items.iter().find_map(|item| misfit(root, &schema["items"], item, &format!("{at}[]")));
    }
    let Value::Object(fields) = value else { return None };
    let properties = schema["properties"].as_object().expect(at);
    let required: Vec<&str> =
        schema["required"].as_array().expect(at).iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(required.len(), properties.len(), "{at}: every field is always there");
    let missing =
        required.iter().find(|name| !fields.contains_key(**name)).map(|name| format!("{at} lacks {name}"));
    missing.or_else(|| {
        fields.iter().find_map(|(name, value)| match properties.get(name) {
            None => Some(format!("{at}.{name} is not described")),
            Some(schema) => misfit(root, schema, value, &format!("{at}.{name}")),
        })
    })
}

#[test]
fn every_answer_is_as_the_description_says_and_every_path_is_described() {
    let city = clubs::lively();
    // One race with a computer driver, so that what can be missing is.
    city.race(RACE + 1);
    city.deal();
    let description: Value = serde_json::from_str(DESCRIPTION).unwrap();
    let paths = description["paths"].as_object().unwrap();
    let mut nobody = city.browser();
    assert_eq!(paths.len(), 17);
    for (path, described) in paths {
        let id = if path.starts_with("/events") { 2 } else { RACE };
        let real = path.replace("{name}", "Bob").replace("{acronym}", "nr").replace("{id}", &id.to_string());
        let answer = nobody.get(&format!("/api/v1{real}"));
        assert_eq!((answer.status, answer.content_type), (200, "application/json"), "{path}");
        assert!(header(&answer, "etag").is_some_and(|tag| tag.len() == 18), "{path}");
        let schema = &described["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let value: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(misfit(&description, schema, &value, path), None);
        let problem = nobody.get(&format!(
            "/api/v1{}",
            path.replace("{name}", "Nobody").replace("{acronym}", "X").replace("{id}", "77")
        ));
        if path.contains('{') {
            assert_eq!(problem.status, 404, "{path}");
            let schema = &described["get"]["responses"]["404"]["content"]["application/json"]["schema"];
            let value: Value = serde_json::from_slice(&problem.body).unwrap();
            assert_eq!(misfit(&description, schema, &value, path), None);
        }
    }
    let file = nobody.get("/api/v1/openapi.json");
    assert_eq!(text(&file), DESCRIPTION);
}

#[test]
fn a_program_that_has_an_answer_already_is_told_so() {
    let city = City::new();
    let host = HostName::parse("mcos.local").unwrap();
    let ask = |known: &str, authorization: &str| {
        let request = PageRequest {
            path: "/api/v1/races",
            query: "",
            host: &host,
            peer: HOME,
            local: HOME,
            cookies: "",
            secure: false,
            known,
            authorization,
        };
        read(&city.site(), &request).unwrap()
    };
    let first = ask("", "");
    let tag = header(&first, "etag").unwrap().to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let again = ask(&known, "");
        assert_eq!(
            (again.status, again.body.len(), header(&again, "etag")),
            (304, 0, Some(tag.as_str())),
            "{known}"
        );
    }
    assert_eq!(ask("\"0000000000000000\"", "").status, 200);
    city.race(RACE + 1);
    assert_eq!(ask(&tag, "").status, 200, "something has changed");
}

#[test]
fn the_operator_switches_the_api_off_or_asks_for_a_token() {
    let mut city = City::new();
    let host = HostName::parse("mcos.local").unwrap();
    let ask = |city: &City, authorization: &str| {
        let path = "/api/v1/status";
        let (query, cookies, known) = ("", "", "");
        let (host, peer, local, secure) = (&host, HOME, HOME, false);
        let request = PageRequest { path, query, host, peer, local, cookies, secure, known, authorization };
        read(&city.site(), &request).unwrap().status
    };
    assert_eq!(ask(&city, ""), 200);
    city.game.config = crate::config::Config::parse("[api]\ntoken = \"sesame\"").unwrap();
    assert_eq!(
        ["", "Bearer", "Bearer wrong", "sesame", "Bearer sesame"].map(|given| ask(&city, given)),
        [401, 401, 401, 401, 200]
    );
    city.game.config = crate::config::Config::parse("[api]\nenabled = false").unwrap();
    assert_eq!(ask(&city, "Bearer sesame"), 404);
    assert_eq!(not_taken(&city.site(), "/api/v1/players").status, 405);
}
