//! GitHub's expressions, as far as the workflow uses them.
//!
//! As in <https://docs.github.com/actions/reference/workflows-and-actions/expressions>.

use serde_json::Value;

/// What an expression may look at.
pub struct Scope<'a> {
    /// `github`, `vars`, `needs`, … each an object.
    pub contexts: &'a Value,
    /// Whether every job that this one needs ended well.
    pub success: bool,
}

/// The value of an expression.
pub fn value(text: &str, scope: &Scope<'_>) -> Value {
    let tokens = tokens(text);
    let mut reader = Reader { tokens: &tokens, at: 0, scope };
    let value = reader.either();
    assert_eq!(reader.at, tokens.len(), "{text}");
    value
}

/// The text with every `${{ … }}` filled in.
pub fn filled(text: &str, scope: &Scope<'_>) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").unwrap();
        out.push_str(before);
        out.push_str(&shown(&value(expression, scope)));
        rest = after;
    }
    out + rest
}

/// Whether it counts as true.
pub fn holds(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::String(s) => !s.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(s) => s.clone(),
        other => other.to_string(),
    }
}

fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '\'' => 2 + rest[1..].find('\'').unwrap(),
            '&' | '|' => 2,
            '!' | '=' if rest[1..].starts_with('=') => 2,
            '!' | '(' | ')' | '>' => 1,
            _ => rest.find(|c: char| !(c.is_alphanumeric() || "_.-".contains(c))).unwrap_or(rest.len()),
        };
        assert!(len > 0, "{rest}");
        tokens.push(rest[..len].to_owned());
        rest = rest[len..].trim_start();
    }
    tokens
}

struct Reader<'a> {
    tokens: &'a [String],
    at: usize,
    scope: &'a Scope<'a>,
}

impl Reader<'_> {
    fn take(&mut self, token: &str) -> bool {
        let is_it = self.tokens.get(self.at).is_some_and(|next| next == token);
        self.at += usize::from(is_it);
        is_it
    }

    fn either(&mut self) -> Value {
        let mut value = self.both();
        while self.take("||") {
            let other = self.both();
            value = if holds(&value) { value } else { other };
        }
        value
    }

    fn both(&mut self) -> Value {
        let mut value = self.compared();
        while self.take("&&") {
            let other = self.compared();
            value = if holds(&value) { other } else { value };
        }
        value
    }

    fn compared(&mut self) -> Value {
        let value = self.single();
        if self.take("==") {
            return Value::Bool(equal(&value, &self.single()));
        }
        if self.take("!=") {
            return Value::Bool(!equal(&value, &self.single()));
        }
        if self.take(">") {
            return Value::Bool(number(&value) > number(&self.single()));
        }
        value
    }

    fn single(&mut self) -> Value {
        if self.take("!") {
            return Value::Bool(!holds(&self.single()));
        }
        if self.take("(") {
            let value = self.either();
            assert!(self.take(")"));
            return value;
        }
        let token = self.tokens[self.at].clone();
        self.at += 1;
        if let Some(text) = token.strip_prefix('\'') {
            return Value::from(text.trim_end_matches('\''));
        }
        if let Ok(number) = token.parse::<f64>() {
            return Value::from(number);
        }
        if self.take("(") {
            assert!(self.take(")"), "{token}");
            return Value::Bool(match token.as_str() {
                "cancelled" => false,
                "always" => true,
                "success" => self.scope.success,
                other => panic!("{other}() is not known"),
            });
        }
        let found = token.split('.').try_fold(self.scope.contexts, |value, name| value.get(name));
        found.cloned().unwrap_or(Value::Null)
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::String(a), Value::String(b)) => a.eq_ignore_ascii_case(b),
        (a, b) => number(a) == number(b),
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Bool(b) => f64::from(u8::from(*b)),
        Value::Number(n) => n.as_f64().unwrap_or(f64::NAN),
        Value::String(s) if s.is_empty() => 0.0,
        Value::String(s) => s.parse().unwrap_or(f64::NAN),
        Value::Array(_) | Value::Object(_) => f64::NAN,
    }
}

#[test]
fn expressions_mean_what_github_says() {
    let contexts = serde_json::json!({
        "vars": { "EMPTY": "" },
        "github": { "event": { "run_attempt": 2, "repository": { "fork": false } }, "event_name": "schedule" },
        "needs": { "detect": { "outputs": { "dry-run": "true" }, "result": "skipped" } },
    });
    let scope = Scope { contexts: &contexts, success: false };
    for (text, want) in [
        ("vars.EMPTY || 'observe'", Value::from("observe")),
        ("vars.MISSING != 'true' && !github.event.repository.fork", Value::from(true)),
        ("github.event_name == 'Schedule' && (github.event.run_attempt > 1)", Value::from(true)),
        // What is not there equals zero.
        ("needs.detect.outputs.dry-run != 'true' || needs.detect.outputs.open != '0'", Value::from(false)),
        ("!cancelled() && needs.detect.result == 'success'", Value::from(false)),
        ("github.event.workflow_run.run_attempt > 1", Value::from(false)),
        ("success()", Value::from(false)),
    ] {
        assert_eq!(value(text, &scope), want, "{text}");
    }
    assert_eq!(filled("a ${{ vars.EMPTY || 'b' }}/${{ github.event_name }}", &scope), "a b/schedule");
}
