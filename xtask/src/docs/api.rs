//! docs/api-reference.md: every path, parameter, body and answer of the JSON API, from what the program says of it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{GENERATED, cell, put};

/// The page, from the description in OpenAPI.
pub fn page(description: &Value) -> String {
    let mut page = format!(
        "{GENERATED}# The JSON API: every path\n\n{}\n\nThe same for programs is at `/api/v1/openapi.json`. What it is for, and who \
         may what, is in [api.md](api.md): a *viewer* reads; an *operator* (or admin) also acts; a *job* has a token of its own for \
         its repository. Errors are `application/problem+json` ([Problem](#problem)).\n",
        text(&description["info"]["description"]),
    );
    let mut by_tag: BTreeMap<&str, Vec<(&str, &str, &Value)>> = BTreeMap::new();
    for (path, item) in entries(&description["paths"]) {
        for (method, operation) in entries(item) {
            let tag = operation["tags"][0].as_str().unwrap_or("others");
            by_tag.entry(tag).or_default().push((path, method, operation));
        }
    }
    // A shape may be called as a tag is, and one of the two would have no anchor of its own.
    for (tag, operations) in by_tag {
        put(&mut page, &format!("\n## Paths: {tag}\n"));
        for (path, method, operation) in operations {
            one(&mut page, path, method, operation);
        }
    }
    put(&mut page, "\n## Shapes\n");
    for (name, schema) in entries(&description["components"]["schemas"]) {
        shape(&mut page, name, schema);
    }
    page
}

fn one(page: &mut String, path: &str, method: &str, operation: &Value) {
    put(page, &format!("\n### `{} {path}`\n\n", method.to_uppercase()));
    let summary = text(&operation["summary"]);
    put(page, &format!("{}.", summary.trim_end_matches('.')));
    let more = text(&operation["description"]);
    put(page, &if more.is_empty() { String::new() } else { format!(" {more}") });
    put(page, &format!("\n\nWho: {}.\n", who(method, operation)));
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let rows: String = parameters
        .map(|one| {
            let wanted = if one["required"] == true { ", required" } else { "" };
            let place = one["in"].as_str().unwrap_or_default();
            let name = one["name"].as_str().unwrap_or_default();
            let what = cell(&text(&one["description"]));
            format!("| `{name}` | {place}{wanted} | {} | {what} |\n", cell(&kind(&one["schema"])))
        })
        .collect();
    if !rows.is_empty() {
        put(page, &format!("\n| parameter | in | takes | meaning |\n|---|---|---|---|\n{rows}"));
    }
    let body = &operation["requestBody"];
    if let Some((_, content)) = entries(&body["content"]).next() {
        let what = text(&body["description"]);
        let what = if what.is_empty() { String::new() } else { format!(": {what}") };
        put(page, &format!("\nBody: {}{what}.\n", kind(&content["schema"])));
    }
    put(page, "\n| answer | is | meaning |\n|---|---|---|\n");
    for (status, answer) in entries(&operation["responses"]) {
        let content = entries(&answer["content"]).next();
        let is = content.map(|(media, content)| match media {
            "application/json" | "application/problem+json" => kind(&content["schema"]),
            other => format!("`{other}`"),
        });
        let what = cell(&text(&answer["description"]));
        put(page, &format!("| {status} | {} | {what} |\n", cell(&is.unwrap_or_default())));
    }
}

/// Who may: a test of the server's holds every answer against it (`tests/api/access.rs`).
fn who(method: &str, operation: &Value) -> &'static str {
    match (operation["security"][0].get("job").is_some(), method) {
        (true, _) => "a job",
        (false, "get") => "a viewer",
        (false, _) => "an operator",
    }
}

fn shape(page: &mut String, name: &str, schema: &Value) {
    put(page, &format!("\n### `{name}`\n"));
    let what = text(&schema["description"]);
    if !what.is_empty() {
        put(page, &format!("\n{}.\n", what.trim_end_matches('.')));
    }
    let fields: Vec<_> = parts(schema).into_iter().flat_map(|part| entries(&part["properties"])).collect();
    if fields.is_empty() {
        let is = kind(schema);
        put(page, &if is == "an object" { String::new() } else { format!("\nIt is {is}.\n") });
        return;
    }
    put(page, "\n| field | is | meaning |\n|---|---|---|\n");
    for (field, of) in fields {
        let what = cell(&meaning(of));
        put(page, &format!("| `{field}` | {} | {what} |\n", cell(&kind(of))));
    }
}

/// What a field means. Where it may be null, that is said of what it is else.
fn meaning(of: &Value) -> String {
    let parts = of["oneOf"].as_array().into_iter().flatten();
    std::iter::once(of)
        .chain(parts)
        .map(|one| text(&one["description"]))
        .find(|said| !said.is_empty())
        .unwrap_or_default()
}

/// An object's own fields, and those of the parts that it is put together of.
fn parts(schema: &Value) -> Vec<&Value> {
    let more = schema["allOf"].as_array().into_iter().flatten();
    std::iter::once(schema).chain(more).collect()
}

/// What a value is, in a few words.
fn kind(schema: &Value) -> String {
    if let Some(place) = schema["$ref"].as_str() {
        let name = place.rsplit('/').next().unwrap_or_default();
        return format!("[{name}](#{})", name.to_lowercase());
    }
    for several in ["oneOf", "anyOf", "allOf"] {
        if let Some(all) = schema[several].as_array() {
            return all.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(|word| format!("`{}`", plain(word))).collect::<Vec<_>>().join(", ");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let named = types.iter().map(|one| match (*one, schema["format"].as_str()) {
        ("null", _) => "`null`".to_owned(),
        ("array", _) => format!("a list of: {}", kind(&schema["items"])),
        ("string", Some("date-time")) => "a time".to_owned(),
        ("string", _) => "text".to_owned(),
        ("boolean", _) => "`true` or `false`".to_owned(),
        ("integer", _) => "a whole number".to_owned(),
        ("number", _) => "a number".to_owned(),
        ("object", _) if schema["additionalProperties"].is_object() => {
            format!("by name: {}", kind(&schema["additionalProperties"]))
        }
        ("object", _) => "an object".to_owned(),
        (other, _) => other.to_owned(),
    });
    let mut said = named.collect::<Vec<_>>().join(" or ");
    if said.is_empty() {
        return "anything".to_owned();
    }
    for (limit, words) in [("minimum", "from"), ("maximum", "up to"), ("maxLength", "of at most")] {
        // What the type of the program itself can hold is no limit that anybody meets.
        if let Some(value) = schema[limit].as_f64().filter(|value| *value != 0.0 && *value < 1e9) {
            let unit = if limit == "maxLength" { " characters" } else { "" };
            put(&mut said, &format!(" {words} {value}{unit}"));
        }
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        put(&mut said, &format!(" like `{pattern}`"));
    }
    said
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, of)| (name.as_str(), of))
}

/// A description in one line.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_has_its_parameters_who_may_and_its_answers() {
        let description = json!({
            "info": { "description": "All." },
            "paths": { "/a/{id}": {
                "get": {
                    "tags": ["looks"], "summary": "One", "description": "As it is.",
                    "parameters": [
                        { "name": "id", "in": "path", "required": true, "description": "a|b", "schema": { "type": "string" } },
                        { "name": "limit", "in": "query", "schema": { "type": ["integer", "null"], "minimum": 1, "maximum": 200 } },
                    ],
                    "responses": { "200": { "description": "It", "content": {
                        "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } } },
                },
                "post": { "tags": ["acts"], "summary": "Do", "responses": {}, "requestBody": {
                    "content": { "application/json": { "schema": { "type": "object" } } } } },
            }, "/jobs": { "post": { "tags": ["acts"], "security": [{ "job": [] }], "responses": {} } } },
            "components": { "schemas": { "Thing": { "description": "A thing", "properties": {
                "many": { "type": "array", "items": { "enum": ["x", "y"] }, "description": "Those" },
                "at": { "type": "string", "format": "date-time" },
                "one": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/One", "description": "That" }] } } } } },
        });
        let page = page(&description);
        for part in [
            "\n## Paths: looks\n",
            "### `GET /a/{id}`\n\nOne. As it is.\n\nWho: a viewer.\n",
            "| `id` | path, required | text | a\\|b |\n",
            "| `limit` | query | a whole number or `null` from 1 up to 200 |  |\n",
            "| 200 | [Thing](#thing) | It |\n",
            "### `POST /a/{id}`\n\nDo.\n\nWho: an operator.\n\nBody: an object.\n",
            "Who: a job.\n",
            "### `Thing`\n\nA thing.\n\n| field |",
            "| `many` | a list of: `x`, `y` | Those |\n",
            "| `at` | a time |  |\n",
            "| `one` | `null` or [One](#one) | That |\n",
        ] {
            assert!(page.contains(part), "{part}\n---\n{page}");
        }
    }
}
