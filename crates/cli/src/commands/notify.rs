//! `regreen notify test`: whether who should be told can be.

use regreen_notify::{Kind, Notice};

use crate::{
    args::{Notify, NotifyTestArgs},
    config,
    context::Context,
    exit::{FINE, Failed, NOTHING_TO_READ, REMOTE, USAGE},
    output::print::print,
    record::now,
};

/// Tells somebody.
pub fn notify(context: &Context, command: &Notify) -> Result<u8, Failed> {
    match command {
        Notify::Test(args) => test(context, args),
    }
}

fn test(context: &Context, args: &NotifyTestArgs) -> Result<u8, Failed> {
    let config = config::operators(context, args.config.as_deref(), &context.workspace()?)?;
    let sinks = config.sinks(context)?;
    if sinks.is_empty() {
        let what = "the configuration names no sink";
        return Err(Failed::new(NOTHING_TO_READ, what).help(
            "add a [[notify.sink]]; the manual's page “Who is told, away from the CI host” has examples",
        ));
    }
    if let Some(unknown) = args.sinks.iter().find(|name| !sinks.contains_key(*name)) {
        let known: Vec<&str> = sinks.keys().map(String::as_str).collect();
        return Err(Failed::new(
            USAGE,
            format!("there is no sink {unknown:?}; there are {}", known.join(", ")),
        ));
    }
    let at = now();
    let notice = Notice {
        id: format!("test/{at}"),
        kind: Kind::Test,
        at,
        title: "Regreen can reach you".to_owned(),
        lines: vec!["Sent by `regreen notify test`. Nothing has happened.".to_owned()],
        evidence: None,
        repository: None,
        class: None,
        confidence: None,
        incident: None,
        subject: "test".to_owned(),
        link: None,
    };
    let mut code = FINE;
    for (name, sink) in sinks.iter().filter(|(name, _)| args.sinks.is_empty() || args.sinks.contains(name)) {
        match sink.send(&notice) {
            Ok(()) => print(&format!("{name} ({}): told\n", sink.kind()))?,
            Err(e) => {
                code = REMOTE;
                let why = context.masker().mask(&e.to_string()).into_owned();
                print(&format!("{name} ({}): not told: {why}\n", sink.kind()))?
            }
        };
    }
    Ok(code)
}
