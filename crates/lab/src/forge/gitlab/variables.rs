//! CI/CD variables of a project, by <https://docs.gitlab.com/api/project_level_variables/>.

use serde_json::{Value, json};

use super::{
    World,
    route::{not_found, says},
};
use crate::forge::route::{Asked, Reply};

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: String,
    /// `*`, or the environments that it is for.
    pub scope: String,
    /// For protected branches and tags only.
    pub protected: bool,
    /// Kept out of logs.
    pub masked: bool,
    /// `env_var` or `file`.
    pub kind: String,
}

impl Variable {
    /// A plain one, for all environments.
    pub fn plain(key: &str, value: &str) -> Variable {
        Variable {
            key: key.to_owned(),
            value: value.to_owned(),
            scope: "*".to_owned(),
            protected: false,
            masked: false,
            kind: "env_var".to_owned(),
        }
    }
}

/// `GET` and `PUT /projects/:id/variables/:key`.
pub(super) fn answer(world: &mut World, path: &str, asked: &Asked, key: &str) -> Reply {
    let Some(project) = world.projects.get_mut(path) else { return not_found("Project") };
    let scope = asked.query("filter[environment_scope]");
    let fits = |one: &&mut Variable| one.key == key && scope.is_none_or(|scope| one.scope == scope);
    let mut found: Vec<&mut Variable> = project.variables.iter_mut().filter(fits).collect();
    if found.len() > 1 {
        let why =
            "There are multiple variables with provided parameters. Please use 'filter[environment_scope]'";
        return says(409, why);
    }
    let Some(variable) = found.pop() else { return not_found("Variable") };
    match asked.method.as_str() {
        "GET" => {}
        "PUT" => match asked.body.get("value").and_then(Value::as_str) {
            Some(value) => value.clone_into(&mut variable.value),
            None => return says(400, "value is missing"),
        },
        _ => return says(405, "405 Method Not Allowed"),
    }
    Reply::json(
        200,
        json!({
            "key": variable.key, "variable_type": variable.kind, "value": variable.value,
            "protected": variable.protected, "masked": variable.masked, "hidden": false, "raw": false,
            "environment_scope": variable.scope, "description": null,
        }),
    )
}
