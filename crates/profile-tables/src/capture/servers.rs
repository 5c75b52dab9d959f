//! The servers of a deployment: one is profiled, one takes the requests, all have to be idle.

use contracts::profile_tables::capture::ProbeStage;
use engine_client::{Endpoint, split_role};

use super::error::CaptureError;

/// Roles of what takes requests and passes them on.
const FRONTS: [&str; 3] = ["router", "gateway", "front"];

/// Servers by what is asked of them.
#[derive(Clone, Debug)]
pub(super) struct Servers {
    /// Whose profiler is started.
    pub(super) profiled: Endpoint,
    /// Its role; `None` for a server alone.
    pub(super) role: Option<String>,
    /// Who takes the requests, where that is another server.
    pub(super) front: Option<Endpoint>,
    /// The rest, which have to be idle as well.
    pub(super) others: Vec<Endpoint>,
}

impl Servers {
    /// Of what was typed. Prefill and decode servers are profiled one at a time (SGLang's own benchmark does so, too), and
    /// the requests go in at the router, where there is one.
    ///
    /// # Errors
    /// [`CaptureError::RolesUnclear`] when several servers do not have one role each, or none has that of the stage.
    pub(super) fn of(urls: &[String], stage: ProbeStage) -> Result<Servers, CaptureError> {
        let wanted = match stage {
            ProbeStage::Prefill => "prefill",
            ProbeStage::Decode => "decode",
        };
        let unclear = |why: String| CaptureError::RolesUnclear { why, stage: wanted };
        let mut named: Vec<(Option<&str>, Endpoint)> = Vec::new();
        for text in urls {
            let (role, url) = split_role(text);
            if let Some(role) = role.filter(|role| named.iter().any(|(other, _)| *other == Some(role))) {
                return Err(unclear(format!("two servers are `{role}`")));
            }
            named.push((role, Endpoint::parse(url)?));
        }
        if let [(role, endpoint)] = named.as_slice() {
            return Ok(Servers {
                profiled: endpoint.clone(),
                role: role.map(str::to_owned),
                front: None,
                others: Vec::new(),
            });
        }
        if named.iter().any(|(role, _)| role.is_none()) {
            return Err(unclear("a server has no role beside others".to_owned()));
        }
        let mut take = |is: &dyn Fn(&str) -> bool| {
            let at = named.iter().position(|(role, _)| role.is_some_and(is))?;
            Some(named.remove(at).1)
        };
        let profiled = take(&|role| role == wanted)
            .ok_or_else(|| unclear("none of the servers has that role".to_owned()))?;
        let front = take(&|role| FRONTS.contains(&role));
        Ok(Servers {
            profiled,
            role: Some(wanted.to_owned()),
            front,
            others: named.into_iter().map(|(_, endpoint)| endpoint).collect(),
        })
    }

    /// Who takes the requests.
    pub(super) fn asked(&self) -> &Endpoint {
        self.front.as_ref().unwrap_or(&self.profiled)
    }
}

#[cfg(test)]
mod tests {
    use cli_kit::ToolError as _;

    use super::*;

    fn servers(urls: &[&str], stage: ProbeStage) -> Result<Servers, CaptureError> {
        let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
        Servers::of(&urls, stage)
    }

    #[test]
    fn the_stage_s_server_is_profiled_and_the_router_is_asked() {
        let urls = ["router=http://h:1", "prefill=http://h:2", "decode=http://h:3"];
        let found = servers(&urls, ProbeStage::Decode).unwrap();
        assert_eq!(found.profiled.to_string(), "http://h:3");
        assert_eq!(found.asked().to_string(), "http://h:1");
        assert_eq!(found.others.len(), 1);
        let found = servers(&urls[1..], ProbeStage::Prefill).unwrap();
        assert_eq!(
            (found.profiled.to_string(), found.asked().to_string()),
            ("http://h:2".to_owned(), "http://h:2".to_owned())
        );
    }

    #[test]
    fn one_server_needs_no_role() {
        let found = servers(&["http://h:1"], ProbeStage::Prefill).unwrap();
        assert_eq!((found.role, found.others.len()), (None, 0));
        assert_eq!(
            servers(&["decode=h:1"], ProbeStage::Prefill)
                .unwrap()
                .role
                .as_deref(),
            Some("decode")
        );
    }

    #[test]
    fn roles_that_tell_nothing_are_refused() {
        for urls in [
            &["http://h:1", "http://h:2"][..],
            &["decode=http://h:1", "decode=http://h:2"],
            &["router=http://h:1", "prefill=http://h:2"],
            &["decode=http://h:1", "http://h:2"],
        ] {
            let error = servers(urls, ProbeStage::Decode).unwrap_err();
            assert_eq!(error.code(), "capture-roles-unclear", "{urls:?}");
        }
    }
}
