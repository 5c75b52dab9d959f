//! The ledger on disk: read whole and checked before every command, added to one line at a time under a lock that the
//! kernel releases when its holder dies.

pub mod chain;
mod guard;
pub mod objects;
pub mod root;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use contracts::fields::sha256_hex;
use contracts::loop_ledger::entry::{Actor, Entry, Evidence, GENESIS, SCHEMA};
use contracts::loop_ledger::event::{Event, Recovered};
use contracts::loop_ledger::lock::{self, TargetLock};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use guard::wait_for_writer;
pub use root::Root;

use crate::error::LedgerError;
use chain::Chain;
use guard::take_lock;

/// How far the clock may be set back between two entries, as time services do.
const CLOCK_SLACK: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);
/// Largest ledger that is read.
const LEDGER_CAP: u64 = 1 << 30;

/// A campaign as it stands on disk.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Where.
    pub root: Root,
    /// The contract.
    pub lock: TargetLock,
    /// The lines so far, every hash checked.
    pub chain: Chain,
}

/// `checkpoint.json`: the head as last written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Lines.
    pub entries: u64,
    /// Hash of the last one.
    pub head: String,
}

impl Ledger {
    /// Reads a campaign and checks chain, contract and checkpoint.
    ///
    /// # Errors
    /// No campaign there, or anything in it that is not as it was written.
    pub fn read(root: &Root) -> Result<Ledger, LedgerError> {
        // The checkpoint first: a writer that goes on meanwhile makes the ledger longer than it says, never shorter.
        let checkpoint = read_checkpoint(root);
        let lock_bytes = read_file(&root.target_lock());
        let ledger_bytes = read_file(&root.ledger());
        let (lock_bytes, ledger_bytes) = match (lock_bytes?, ledger_bytes?) {
            (None, None) => return Err(LedgerError::NoCampaign(root.path().to_owned())),
            (None, Some(_)) => {
                return Err(LedgerError::tampered(
                    "lock-missing",
                    &root.target_lock(),
                    "is gone",
                ));
            }
            (Some(_), None) => {
                return Err(LedgerError::tampered("ledger-missing", &root.ledger(), "is gone"));
            }
            (Some(lock), Some(ledger)) => (lock, ledger),
        };
        let chain = chain::read(&ledger_bytes)
            .map_err(|broken| LedgerError::tampered("chain-broken", &root.ledger(), &broken.to_string()))?;
        let checkpoint = checkpoint?;
        check_lock(root, &lock_bytes, &chain, checkpoint.as_ref())?;
        check_checkpoint(root, &chain, checkpoint)?;
        let lock: TargetLock = serde_json::from_slice(&lock_bytes)
            .map_err(|error| LedgerError::tampered("lock-edited", &root.target_lock(), &error.to_string()))?;
        if lock.schema != lock::SCHEMA {
            return Err(LedgerError::tampered(
                "lock-edited",
                &root.target_lock(),
                "has another schema",
            ));
        }
        Ok(Ledger {
            root: root.clone(),
            lock,
            chain,
        })
    }

    /// The entries.
    pub fn entries(&self) -> &[Entry] {
        &self.chain.entries
    }
}

fn read_file(path: &Path) -> Result<Option<Vec<u8>>, LedgerError> {
    let io = |error: io::Error| LedgerError::io("read", path, &error);
    match fs::metadata(path) {
        Ok(found) if found.len() > LEDGER_CAP => Err(LedgerError::io(
            "read",
            path,
            &io::Error::other("it is too large"),
        )),
        Ok(_) => fs::read(path).map(Some).map_err(io),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io(error)),
    }
}

/// The contract is the one that the first entry names.
fn check_lock(
    root: &Root,
    lock_bytes: &[u8],
    chain: &Chain,
    checkpoint: Option<&Checkpoint>,
) -> Result<(), LedgerError> {
    let path = root.target_lock();
    match chain.entries.first().map(|entry| &entry.event) {
        Some(Event::Init(init)) if init.lock_sha256 == sha256_hex(lock_bytes) => Ok(()),
        Some(Event::Init(init)) => Err(LedgerError::tampered(
            "lock-edited",
            &path,
            &format!("is not the file that was locked ({})", short(&init.lock_sha256)),
        )),
        None if checkpoint.is_some_and(|once| once.entries > 0) => Err(LedgerError::tampered(
            "ledger-truncated",
            &root.ledger(),
            "has no line, and once had some",
        )),
        // `init` died between the contract and its first line.
        None => Err(LedgerError::NoCampaign(root.path().to_owned())),
        Some(_) => Err(LedgerError::tampered(
            "chain-broken",
            &root.ledger(),
            "line 1: is no beginning",
        )),
    }
}

/// The checkpoint, when there is one and it has the very bytes that are written.
fn read_checkpoint(root: &Root) -> Result<Option<Checkpoint>, LedgerError> {
    let path = root.checkpoint();
    let Some(bytes) = read_file(&path)? else {
        return Ok(None);
    };
    let edited = |what: &str| LedgerError::tampered("checkpoint-edited", &path, what);
    let checkpoint: Checkpoint =
        serde_json::from_slice(&bytes).map_err(|error| edited(&error.to_string()))?;
    if checkpoint_bytes(&checkpoint) != bytes {
        return Err(edited("has bytes that were not written"));
    }
    Ok(Some(checkpoint))
}

/// A ledger that is shorter than it once was has lost lines at its end, which no hash can show.
fn check_checkpoint(root: &Root, chain: &Chain, checkpoint: Option<Checkpoint>) -> Result<(), LedgerError> {
    let Some(checkpoint) = checkpoint else {
        return Err(LedgerError::tampered(
            "checkpoint-missing",
            &root.checkpoint(),
            "is gone",
        ));
    };
    let there = match checkpoint.entries {
        0 => Some(GENESIS),
        entries => usize::try_from(entries - 1)
            .ok()
            .and_then(|last| chain.entries.get(last))
            .map(|entry| entry.hash.as_str()),
    };
    match there {
        Some(hash) if hash == checkpoint.head => Ok(()),
        Some(_) => Err(LedgerError::tampered(
            "ledger-rewritten",
            &root.ledger(),
            &format!("line {} is not the one that was written", checkpoint.entries),
        )),
        None => Err(LedgerError::tampered(
            "ledger-truncated",
            &root.ledger(),
            &format!(
                "has {} lines, and once had {}",
                chain.entries.len(),
                checkpoint.entries
            ),
        )),
    }
}

/// Refuses to begin where a campaign is, or was: a deleted ledger is no free root. An `init` that was killed before its
/// first line left no campaign.
///
/// # Errors
/// [`LedgerError::CampaignExists`]; `ledger-missing` or `ledger-truncated` when only the checkpoint still knows of it.
pub fn refuse_existing(root: &Root) -> Result<(), LedgerError> {
    let checkpoint = read_checkpoint(root)?;
    let ledger = read_file(&root.ledger())?;
    let had_lines = checkpoint.is_some_and(|once| once.entries > 0);
    match ledger {
        Some(bytes) if bytes.contains(&b'\n') => Err(LedgerError::CampaignExists(root.path().to_owned())),
        None if had_lines => Err(LedgerError::tampered("ledger-missing", &root.ledger(), "is gone")),
        Some(_) if had_lines => Err(LedgerError::tampered(
            "ledger-truncated",
            &root.ledger(),
            "has no line, and once had some",
        )),
        _ => Ok(()),
    }
}

/// A ledger that only this process writes to, until it is dropped.
pub struct Writer {
    /// The campaign, as it stands now.
    pub ledger: Ledger,
    /// Holds the lock; the kernel takes it back when the process ends, however it ends.
    _guard: File,
}

impl Writer {
    /// Takes the lock, reads the campaign, and sets a torn last line aside.
    ///
    /// # Errors
    /// Those of [`Ledger::read`]; another writer that does not end.
    pub fn open(root: &Root) -> Result<Writer, LedgerError> {
        if !root.path().is_dir() {
            return Err(LedgerError::NoCampaign(root.path().to_owned()));
        }
        let guard = take_lock(root)?;
        let ledger = Ledger::read(root)?;
        refuse_turned_back(root, &ledger.chain)?;
        let mut writer = Writer {
            ledger,
            _guard: guard,
        };
        writer.set_torn_aside()?;
        Ok(writer)
    }

    /// Creates a campaign: the contract, an empty checkpoint, and the first line.
    ///
    /// # Errors
    /// A campaign is there already; those of writing.
    pub fn create(
        root: &Root,
        lock: TargetLock,
        first: Event,
        evidence: Vec<Evidence>,
    ) -> Result<Writer, LedgerError> {
        fs::create_dir_all(root.path()).map_err(|error| LedgerError::io("create", root.path(), &error))?;
        let guard = take_lock(root)?;
        refuse_existing(root)?;
        write(&root.target_lock(), &lock_bytes(&lock))?;
        write(&root.ledger(), b"")?;
        write_checkpoint(root, 0, GENESIS)?;
        let ledger = Ledger {
            root: root.clone(),
            lock,
            chain: Chain::default(),
        };
        let mut writer = Writer {
            ledger,
            _guard: guard,
        };
        writer.append(None, first, evidence)?;
        Ok(writer)
    }

    /// Adds a line. When this returns the line is on disk.
    ///
    /// # Errors
    /// Those of writing; then the line is not there, or it is torn and the next writer sets it aside.
    pub fn append(
        &mut self,
        attempt: Option<String>,
        event: Event,
        evidence: Vec<Evidence>,
    ) -> Result<Entry, LedgerError> {
        let chain = &mut self.ledger.chain;
        let last = chain.entries.last().map(|entry| entry.written_at);
        let now = Timestamp::now();
        let mut entry = Entry {
            schema: SCHEMA.to_owned(),
            seq: chain.entries.len() as u64,
            prev: chain.head().to_owned(),
            // A clock that is set right by a second makes no entry older than the one before it.
            written_at: last.map_or(now, |last| last.max(now)),
            actor: actor(),
            attempt,
            event,
            evidence,
            hash: String::new(),
        };
        entry.hash = entry.expected_hash();
        let path = self.ledger.root.ledger();
        OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| {
                file.write_all(&chain::line(&entry))?;
                file.sync_data()
            })
            .map_err(|error| LedgerError::io("write", &path, &error))?;
        chain.entries.push(entry.clone());
        // The line stands. An older checkpoint is valid, and an error would have the same line written twice.
        let _ = write_checkpoint(&self.ledger.root, chain.entries.len() as u64, chain.head());
        Ok(entry)
    }

    /// Moves a torn last line out of the ledger and says so in it.
    fn set_torn_aside(&mut self) -> Result<(), LedgerError> {
        if self.ledger.chain.torn.is_empty() {
            return Ok(());
        }
        let torn = std::mem::take(&mut self.ledger.chain.torn);
        let root = self.ledger.root.clone();
        let name = format!("ledger.torn-{}", Timestamp::now().strftime("%Y%m%dT%H%M%S%fZ"));
        write(&root.path().join(&name), &torn)?;
        let whole: Vec<u8> = self.ledger.chain.entries.iter().flat_map(chain::line).collect();
        let path = root.ledger();
        OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|file| {
                file.set_len(whole.len() as u64)?;
                file.sync_data()
            })
            .map_err(|error| LedgerError::io("write", &path, &error))?;
        let recovered = Recovered {
            file: name,
            bytes: torn.len() as u64,
        };
        self.append(None, Event::Recovered(recovered), Vec::new())?;
        Ok(())
    }
}

/// A clock that was turned back would give spent time again.
fn refuse_turned_back(root: &Root, chain: &Chain) -> Result<(), LedgerError> {
    let now = Timestamp::now();
    match chain.entries.last() {
        Some(last) if last.written_at.duration_since(now) > CLOCK_SLACK => Err(LedgerError::tampered(
            "clock-turned-back",
            &root.ledger(),
            &format!(
                "its last line was written at {}, and now it is {now}",
                last.written_at
            ),
        )),
        _ => Ok(()),
    }
}

/// The bytes of `target.lock.json`.
pub fn lock_bytes(lock: &TargetLock) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(lock).expect("a lock has string keys and finite numbers");
    bytes.push(b'\n');
    bytes
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), LedgerError> {
    cli_kit::write_atomically(path, bytes).map_err(|error| LedgerError::io("write", path, &error))
}

fn write_checkpoint(root: &Root, entries: u64, head: &str) -> Result<(), LedgerError> {
    let checkpoint = Checkpoint {
        entries,
        head: head.to_owned(),
    };
    write(&root.checkpoint(), &checkpoint_bytes(&checkpoint))
}

pub(crate) fn checkpoint_bytes(checkpoint: &Checkpoint) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(checkpoint).expect("a checkpoint is JSON");
    bytes.push(b'\n');
    bytes
}

/// Who runs us, from what the runtimes set in the environment of their commands.
fn actor() -> Actor {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let clean = |session: String| contracts::text::clean(&session, 80);
    if set("CLAUDECODE").is_some() {
        Actor {
            runtime: "claude".to_owned(),
            session: set("CLAUDE_SESSION_ID").map(clean),
        }
    } else if set("CODEX_SANDBOX").is_some() || set("CODEX_THREAD_ID").is_some() {
        Actor {
            runtime: "codex".to_owned(),
            session: set("CODEX_THREAD_ID").map(clean),
        }
    } else {
        Actor {
            runtime: "human".to_owned(),
            session: None,
        }
    }
}

/// The beginning of a hash, for people.
pub fn short(sha256: &str) -> &str {
    let end = sha256.len().min("sha256:".len() + 8);
    sha256.get(..end).unwrap_or(sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::campaign::Campaign;

    /// Who is told that it failed would write it again.
    #[test]
    fn a_line_that_stands_is_no_error_without_its_checkpoint() {
        let campaign = Campaign::begun().today().write();
        let mut writer = Writer::open(&campaign.root).unwrap();
        let checkpoint = fs::read(campaign.root.checkpoint()).unwrap();
        fs::remove_file(campaign.root.checkpoint()).unwrap();
        fs::create_dir(campaign.root.checkpoint()).unwrap();
        let event = Event::Recovered(Recovered {
            file: "x".to_owned(),
            bytes: 1,
        });
        let entry = writer.append(None, event, Vec::new()).unwrap();
        drop(writer);
        fs::remove_dir(campaign.root.checkpoint()).unwrap();
        fs::write(campaign.root.checkpoint(), checkpoint).unwrap();
        let ledger = Ledger::read(&campaign.root).unwrap();
        assert_eq!(ledger.entries().last(), Some(&entry));
    }
}
