//! One block of a comparison: a run of each side, in the order of the block.

use cli_kit::Failure;
use contracts::serve_bench::compare::Order;

use crate::measure::Measured;
use crate::side::Side;

/// Times that a block is measured when only the client is to blame.
const TRIES: u32 = 8;

/// The runs of side A and side B.
pub(super) type Pair = (Measured, Measured);

/// Measures a block, and again when nothing but the client was disturbed. Gives the last pair and how often it was
/// measured again; `None` when Ctrl-C ended a run.
pub(super) fn undisturbed(
    order: Order,
    a: &Side,
    b: &Side,
    one: &mut impl FnMut(&Side) -> Result<Measured, Failure>,
) -> Result<Option<(Pair, u32)>, Failure> {
    let mut again = 0;
    loop {
        let Some(pair) = pair(order, a, b, one)? else {
            return Ok(None);
        };
        if again + 1 == TRIES || !is_only_disturbed(&pair) {
            return Ok(Some((pair, again)));
        }
        again += 1;
    }
}

fn pair(
    order: Order,
    a: &Side,
    b: &Side,
    one: &mut impl FnMut(&Side) -> Result<Measured, Failure>,
) -> Result<Option<Pair>, Failure> {
    let (first, second) = match order {
        Order::Ab => (a, b),
        Order::Ba => (b, a),
    };
    let first = one(first)?;
    if !first.complete {
        return Ok(None);
    }
    let second = one(second)?;
    if !second.complete {
        return Ok(None);
    }
    Ok(Some(match order {
        Order::Ab => (first, second),
        Order::Ba => (second, first),
    }))
}

/// Whether a block is invalid for nothing but a client that was kept from its work. That is this machine's doing, not
/// a side's, and both runs are made again, so neither side is favoured.
fn is_only_disturbed((a, b): &Pair) -> bool {
    let excused = |side: &Measured| side.run.valid || side.run.client.client_limited;
    let served = |side: &Measured| side.run.requests.succeeded > 0;
    (!a.run.valid || !b.run.valid) && [a, b].iter().all(|side| excused(side) && served(side))
}
