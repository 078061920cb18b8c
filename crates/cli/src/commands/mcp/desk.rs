//! The desk: takes what a client asks for, and hands back an answer or what is wrong with the question.

use std::rc::Rc;

use regreen_show::harmless::harmless;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation,
        ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig,
    },
    service::RequestContext,
};
use serde_json::Value;

use super::{
    answer::Answers,
    tools::{UNTRUSTED, tools},
};

/// What is said of the whole to a client that connects.
const PURPOSE: &str = "Regreen names the cause of a failed CI job and heals it when, and only when, the infrastructure \
                       was at fault. Ask diagnose_log about a log; never call a failure infrastructure where it says code.";

/// The server's side of the protocol.
pub struct Desk(pub Rc<Answers>);

impl ServerHandler for Desk {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("regreen", env!("CARGO_PKG_VERSION")).with_title("Regreen"))
            .with_instructions(format!("{PURPOSE} {UNTRUSTED}"))
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools(self.0.acting)))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let name = request.name.into_owned();
        if !tools(self.0.acting).iter().any(|tool| tool.name == name) {
            return Err(ErrorData::invalid_params(unknown(&name), None));
        }
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let answers = Rc::clone(&self.0);
        // In a task of its own, so that a bug in one answer leaves no question without any.
        let asked = tokio::task::spawn_local(async move {
            let answer = answers.answer(&name, arguments).await;
            match answer {
                Ok(value) => CallToolResult::structured(answers.harmless(value)),
                Err(failed) => CallToolResult::error(vec![ContentBlock::text(
                    answers.harmless_text(&failed.to_string()),
                )]),
            }
        });
        match asked.await {
            Ok(result) => Ok(result.into()),
            Err(_) => Err(ErrorData::internal_error("a bug in Regreen; please report it", None)),
        }
    }
}

fn unknown(name: &str) -> String {
    let acting = tools(true).into_iter().any(|tool| tool.name == name);
    match acting {
        true => {
            format!("`{name}` acts, and this server only reads: start it as `regreen mcp --allow-actions`")
        }
        false => {
            let known: Vec<String> = tools(false).into_iter().map(|tool| tool.name.into_owned()).collect();
            format!("there is no tool `{}`; there are {}", harmless(name), known.join(", "))
        }
    }
}
