//! Many writers and readers at once.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use loop_ledger::ledger::{Ledger, Root};

use super::campaign::Campaign;

const WRITERS: usize = 8;
const EACH: usize = 10;

#[test]
fn eight_writers_tear_no_line_and_break_no_chain() {
    let campaign = Campaign::begun(PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger")));
    let is_over = AtomicBool::new(false);
    let reads = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !is_over.load(Ordering::Relaxed) {
                campaign.run(&["verify"]).ok();
                reads += 1;
            }
            reads
        });
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let campaign = &campaign;
                scope.spawn(move || {
                    for number in 0..EACH {
                        campaign
                            .run(&["idea", "--idea", &format!("{writer} {number}")])
                            .ok();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        is_over.store(true, Ordering::Relaxed);
        reader.join().unwrap()
    });
    let ledger = Ledger::read(&Root::new(campaign.path("root"))).unwrap();
    assert!(ledger.chain.torn.is_empty());
    let text = serde_json::to_string(ledger.entries()).unwrap();
    for writer in 0..WRITERS {
        for number in 0..EACH {
            assert!(
                text.contains(&format!("\"idea\":\"{writer} {number}\"")),
                "{writer} {number} is lost"
            );
        }
    }
    assert_eq!(ledger.entries().len(), 1 + WRITERS * EACH);
    println!(
        "{WRITERS} concurrent writers, {} entries, {reads} verifications meanwhile: 0 torn lines, 0 chain breaks, 0 false alarms",
        WRITERS * EACH
    );
}

#[test]
fn a_lock_file_that_is_removed_lets_nobody_in_twice() {
    let campaign = Campaign::begun(PathBuf::from(env!("CARGO_BIN_EXE_loop-ledger")));
    let root = Root::new(campaign.path("root"));
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let campaign = &campaign;
            scope.spawn(move || {
                for number in 0..5 {
                    campaign
                        .run(&["idea", "--idea", &format!("{writer} {number}")])
                        .ok();
                }
            });
        }
        // A waiting writer gets the lock of a file that is no longer there, and has to take the new one.
        let remover = scope.spawn(|| {
            let held = loop_ledger::ledger::Writer::open(&root).unwrap();
            std::fs::remove_file(root.lock_file()).unwrap();
            drop(held);
        });
        remover.join().unwrap();
    });
    campaign.run(&["verify"]).ok();
    assert!(Ledger::read(&root).is_ok());
}
