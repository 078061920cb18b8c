//! The words that parameters and fields may have, put into the description: they are the program's own lists.

use regreen_domain::{FailureClass, Outcome};
use serde_json::Value;
use utoipa::openapi::{OpenApi, RefOr, Schema, path::Parameter};

use super::incidents::STATES;

/// The words for a name, where only some are known.
fn words(name: &str) -> Option<Vec<Value>> {
    let ids: Vec<&str> = match name {
        "class" => FailureClass::ALL.map(FailureClass::id).to_vec(),
        "outcome" => Outcome::ALL.map(Outcome::id).to_vec(),
        "state" => STATES.map(regreen_ledger::State::id).to_vec(),
        _ => return None,
    };
    Some(ids.into_iter().map(Value::from).collect())
}

/// Names them wherever somebody asks by one.
pub(super) fn name(description: &mut OpenApi) {
    let paths = description.paths.paths.values_mut();
    let asked = paths.filter_map(|path| path.get.as_mut()).filter_map(|get| get.parameters.as_mut());
    for parameter in asked.flatten() {
        let RefOr::T(Parameter { name, schema, .. }) = parameter else { continue };
        if let (Some(words), Some(schema)) = (words(name), schema) {
            allow(schema, words);
        }
    }
    let label = description.components.as_mut().and_then(|all| all.schemas.get_mut("Label"));
    if let Some(RefOr::T(Schema::Object(label))) = label
        && let (Some(class), Some(words)) = (label.properties.get_mut("class"), words("class"))
    {
        allow(class, words);
    }
}

fn allow(schema: &mut RefOr<Schema>, words: Vec<Value>) {
    if let RefOr::T(Schema::Object(text)) = schema {
        text.enum_values = Some(words);
        // Left out where nobody asks by it, and never null.
        text.schema_type = utoipa::openapi::schema::SchemaType::Type(utoipa::openapi::schema::Type::String);
    }
}
