//! From a complete request to work: control endpoints at once, generation as the script says.

use serde_json::json;

use super::connection::{Peer, Work};
use super::serve::Server;
use crate::api::{ApiError, Ask, control, error_object, parse_ask};
use crate::http::{Answer, CONTINUE, Received, Request};
use crate::reply::{Framing, Refused, Shape, Timeline, refused, reply_for, resolve};
use crate::truth::Record;

impl Server {
    /// Takes the next request of an idle connection, if it is complete.
    pub(super) fn next_request(&mut self, key: usize) {
        loop {
            let Some(connection) = self.connections.get_mut(key) else {
                return;
            };
            if !matches!(connection.work, Work::Idle) || connection.closing {
                return;
            }
            match connection.reader.next() {
                Ok(Received::Incomplete) => return,
                Ok(Received::AwaitsContinue) => {
                    connection.out().extend_from_slice(CONTINUE);
                    if connection.flush() == Peer::Gone {
                        self.gone(key);
                    }
                    return;
                }
                Ok(Received::Complete(request)) => {
                    connection.keep_alive = request.keep_alive;
                    self.request(key, &request);
                }
                Err(bad) => {
                    let (status, reason) = bad.status();
                    connection.keep_alive = false;
                    self.answer(key, &Answer::json(status, &json!({"error": {"message": reason}})));
                }
            }
        }
    }

    fn request(&mut self, key: usize, request: &Request) {
        let identity = self.setup.served.identity;
        let authorized = match &self.setup.script.api_key {
            Some(asked) => request.bearer.as_deref() == Some(asked.as_str()),
            None => true,
        };
        let chat = request.path == "/v1/chat/completions";
        if chat || request.path == "/v1/completions" {
            if request.method == "POST" {
                self.generation(key, chat, authorized, request);
            } else {
                self.answer(key, &ApiError::Method.answer(identity));
            }
            return;
        }
        let answer = match request.path.as_str() {
            "/truth" => self.truth(),
            "/truth/reset" => {
                self.recorder.reset();
                Answer::json(200, &json!({"simulated": true, "reset": true}))
            }
            path if path.starts_with("/v1/") && !authorized => ApiError::Unauthorized.answer(identity),
            path => self
                .profile_control(request, authorized)
                .or_else(|| self.control(path, request))
                .unwrap_or_else(|| ApiError::NoSuchPath.answer(identity)),
        };
        self.answer(key, &answer);
    }

    fn control(&mut self, path: &str, request: &Request) -> Option<Answer> {
        if let Some(answer) = self.engine_control(path) {
            return Some(answer);
        }
        if let Some(core) = &self.core
            && path.ends_with("server_info")
        {
            self.setup.served.internal = core.internal();
        }
        control(&self.setup.served, request)
    }

    fn truth(&self) -> Answer {
        let in_flight = self
            .connections
            .iter()
            .filter_map(|(_, connection)| match &connection.work {
                Work::Scripted { record, .. } | Work::Live { record, .. } | Work::Silent { record } => {
                    Some(record)
                }
                Work::Idle | Work::Asleep { .. } => None,
            });
        let truth = self.recorder.truth(in_flight);
        match serde_json::to_value(&truth) {
            Ok(value) => Answer::json(200, &value),
            Err(error) => Answer::text(500, error.to_string()),
        }
    }

    /// Writes a whole answer that needs no pacing.
    fn answer(&mut self, key: usize, answer: &Answer) {
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        let keep_alive = connection.keep_alive;
        answer.write(connection.out(), keep_alive);
        connection.closing = !keep_alive;
        if connection.flush() == Peer::Gone {
            self.gone(key);
        } else if !keep_alive {
            self.after_flush(key);
        }
    }

    fn generation(&mut self, key: usize, chat: bool, authorized: bool, request: &Request) {
        let received_ns = self.clock.now_ns();
        let mut record = self.recorder.received(received_ns);
        let framing = Framing {
            chunked: !request.http10,
            keep_alive: request.keep_alive,
        };
        let number = self.recorder.number();
        let timeline = match self.admit(chat, authorized, request) {
            Err(error) => {
                let answer = error.answer(self.setup.served.identity);
                Timeline::refusal(received_ns, framing, 0, &answer)
            }
            Ok(ask) if self.core.is_some() => {
                self.submit(key, framing, &ask, record);
                return;
            }
            Ok(ask) => self.script(key, number, framing, &ask, &request.body, &mut record),
        };
        let Some(connection) = self.connections.get_mut(key) else {
            return;
        };
        connection.work = Work::Scripted { timeline, record };
        if connection.backlog() > 0 && connection.flush() == Peer::Gone {
            self.gone(key);
            return;
        }
        self.schedule(key, received_ns);
    }

    fn admit(&self, chat: bool, authorized: bool, request: &Request) -> Result<Ask, ApiError> {
        if !authorized {
            return Err(ApiError::Unauthorized);
        }
        let served = &self.setup.served;
        let ask = parse_ask(chat, &request.body)?;
        if let Some(asked) = ask.model.as_ref().filter(|asked| **asked != served.model) {
            return Err(ApiError::UnknownModel {
                asked: asked.clone(),
                served: served.model.clone(),
            });
        }
        let (prompt, answer) = (ask.prompt.len() as u64, ask.max_tokens.map(u64::from));
        let limit = served.context_tokens;
        if let Some(core) = &self.core
            && !core.scheduler.fits(prompt + answer.unwrap_or(1))
        {
            let limit = core.scheduler.kv_tokens().1;
            return Err(ApiError::ContextLength {
                limit,
                prompt,
                answer,
            });
        }
        // Without max_tokens the answer takes what is left, so at least one token has to be.
        if prompt + answer.unwrap_or(1) > limit {
            return Err(ApiError::ContextLength {
                limit,
                prompt,
                answer,
            });
        }
        Ok(ask)
    }

    fn script(
        &mut self,
        key: usize,
        number: u64,
        framing: Framing,
        ask: &Ask,
        body: &[u8],
        record: &mut Record,
    ) -> Timeline {
        let received_ns = record.received_ns();
        let identity = self.setup.served.identity;
        let reply = reply_for(&self.setup.script, number);
        if let Some(refusal) = &reply.refusal {
            let (refusal, delay_ns, meant) = refused(refusal);
            record.describe(ask.stream, ask.prompt.len() as u64, meant);
            let Refused {
                status,
                retry_after_s,
                message,
            } = refusal;
            let mut answer = Answer::json(status, &error_object(identity, status, &message));
            answer.retry_after_s = retry_after_s;
            return Timeline::refusal(received_ns, framing, delay_ns, &answer);
        }
        let mut plan = resolve(&reply, ask);
        let said = self.setup.answers.as_ref();
        let said = said.map(|answers| answers.answer(ask.chat, body, ask, &mut plan));
        record.describe(ask.stream, plan.prompt_tokens, plan.meant);
        let mut shape = Shape::new(
            ask.chat,
            identity,
            &self.setup.served.model,
            number,
            self.clock.unix_s(),
            &plan,
        );
        if let Some(said) = said {
            shape = shape.saying(said);
        }
        if !ask.stream {
            return Timeline::body(received_ns, framing, &plan, shape);
        }
        let mut head = Vec::new();
        let timeline = Timeline::events(received_ns, framing, plan, shape, &mut head);
        if let Some(connection) = self.connections.get_mut(key) {
            connection.out().append(&mut head);
        }
        timeline
    }
}
