//! The condition of each edit: what has to be seen, with the numbers that show it.

use contracts::ncu_digest::Counter;
use contracts::ncu_digest::kernel::{Bound, SubBound};

use crate::fields;
use crate::seen::{Seen, Symptom, get};
use crate::stalls;
use crate::thresholds as at;

pub(crate) fn spills(seen: &Seen<'_>) -> Option<Symptom> {
    let spills = seen.kernel.memory.spill_requests.as_ref()?;
    let share = seen.pick(fields::SPILLS_PCT).or_else(|| {
        let local = [fields::LOCAL_LOAD_REQUESTS, fields::LOCAL_STORE_REQUESTS];
        let all = [local[0], local[1], fields::LOAD_REQUESTS, fields::STORE_REQUESTS];
        fields::quotient(
            &fields::sum(seen.raw, &local)?,
            &fields::sum(seen.raw, &all)?,
            100.0,
        )
    })?;
    (get(spills) > 0.0 && get(&share) >= at::SPILL_PCT).then(|| {
        Symptom::new(format!(
            "{:.1} % of the requests to L1 are of local memory",
            get(&share)
        ))
        .show("requests of local memory", spills)
        .show("part of the requests to L1, %", &share)
        .show_some("registers of a thread", seen.kernel.registers.as_ref())
    })
}

pub(crate) fn small(seen: &Seen<'_>) -> Option<Symptom> {
    (seen.kernel.sub_bound == Some(SubBound::Small)).then(|| {
        Symptom::new("it ends within 10 µs and does not fill the GPU once")
            .show_some("duration, ns", seen.kernel.duration_ns.as_ref())
            .show_some("waves", seen.kernel.launch.waves.as_ref())
    })
}

pub(crate) fn few_blocks(seen: &Seen<'_>) -> Option<Symptom> {
    let blocks: u64 = seen
        .kernel
        .grid
        .iter()
        .fold(1, |product, side| product.saturating_mul(*side));
    let sms = seen.pick(fields::SM_COUNT)?;
    let waves = seen.kernel.launch.waves.as_ref()?;
    ((blocks as f64) < get(&sms) && get(waves) < 1.0).then(|| {
        Symptom::new(format!(
            "{blocks} blocks leave {:.0} of {:.0} multiprocessors idle",
            get(&sms) - blocks as f64,
            get(&sms)
        ))
        .show("multiprocessors", &sms)
        .show("waves", waves)
    })
}

pub(crate) fn fp64(seen: &Seen<'_>) -> Option<Symptom> {
    let pipe = seen.kernel.fp64_pct.as_ref()?;
    if get(pipe) < at::FP64_PCT {
        return None;
    }
    let xu = seen.pick(fields::XU);
    let symptom = Symptom::new(format!("the FP64 pipe is busy {:.1} % of the time", get(pipe)))
        .show("FP64 pipe, %", pipe);
    if !seen.declared.is_fp64() {
        let declared = match &seen.declared.dtype {
            Some(dtype) => format!("the kernel is declared {dtype}"),
            None => "no dtype is declared: divisions and literals without `f` are the usual cause".to_owned(),
        };
        return Some(
            symptom
                .say(declared)
                .show_some("reciprocals and roots (XU pipe), %", xu.as_ref()),
        );
    }
    // A kernel that needs FP64 keeps it; what it can lose are divisions, which start with a reciprocal.
    let xu = xu.filter(|xu| get(xu) >= at::XU_PCT)?;
    let text = format!(
        "the pipe of reciprocals and roots is busy {:.1} % of the time",
        get(&xu)
    );
    let symptom = symptom.say(text).show("reciprocals and roots (XU pipe), %", &xu);
    Some(Symptom {
        edit: Some("replace FP64 divisions by products with a reciprocal"),
        ..symptom
    })
}

pub(crate) fn uncoalesced(seen: &Seen<'_>) -> Option<Symptom> {
    if let Some(bytes) = &seen.kernel.memory.bytes_per_sector {
        return (get(bytes) < at::UNCOALESCED_BYTES).then(|| loads(seen, bytes));
    }
    // Before bytes of a sector were counted: sectors against those of the same accesses side by side.
    let over = fields::quotient(
        &seen.pick(fields::SECTORS)?,
        &seen.pick(fields::SECTORS_IDEAL)?,
        1.0,
    )?;
    (get(&over) >= at::SECTORS_OVER_IDEAL).then(|| {
        Symptom::new(format!(
            "global accesses move {:.1} times the sectors that they need",
            get(&over)
        ))
        .show("sectors / ideal sectors", &over)
        .show_some(
            "sectors of a load",
            seen.kernel.memory.sectors_per_request.as_ref(),
        )
    })
}

pub(crate) fn partly_coalesced(seen: &Seen<'_>) -> Option<Symptom> {
    let bytes = seen.kernel.memory.bytes_per_sector.as_ref()?;
    let estimate = seen.estimate("UncoalescedGlobalAccess")?;
    let holds = get(bytes) >= at::UNCOALESCED_BYTES
        && get(bytes) < at::PARTLY_COALESCED_BYTES
        && estimate.value.get() >= at::UNCOALESCED_SPEEDUP_PCT;
    holds.then(|| loads(seen, bytes))
}

fn loads(seen: &Seen<'_>, bytes: &Counter) -> Symptom {
    Symptom::new(format!(
        "global loads use {:.1} of the 32 bytes of a sector",
        get(bytes)
    ))
    .show("bytes of a sector that loads use", bytes)
    .show_some(
        "sectors of a load",
        seen.kernel.memory.sectors_per_request.as_ref(),
    )
}

pub(crate) fn bank_conflicts(seen: &Seen<'_>) -> Option<Symptom> {
    let conflicts = seen.kernel.memory.bank_conflict_pct.as_ref()?;
    (get(conflicts) >= at::BANK_CONFLICT_PCT).then(|| {
        Symptom::new(format!(
            "{:.1} % of the wavefronts of shared memory are bank conflicts",
            get(conflicts)
        ))
        .show("bank conflicts of wavefronts, %", conflicts)
    })
}

pub(crate) fn lg_throttle(seen: &Seen<'_>) -> Option<Symptom> {
    seen.stall("lg_throttle", at::LG_THROTTLE_PCT)
}

pub(crate) fn mio(seen: &Seen<'_>) -> Option<Symptom> {
    let throttle = stalls::share(seen.raw, "mio_throttle")?.share_pct;
    let scoreboard = stalls::share(seen.raw, "short_scoreboard")?.share_pct;
    let both = get(&throttle) + get(&scoreboard);
    (both >= at::MIO_PCT).then(|| {
        let text = format!("{both:.1} % of a warp's cycles are mio_throttle and short_scoreboard: shared memory is asked too often");
        let symptom = Symptom::new(text)
            .show("stall mio_throttle, %", &throttle)
            .show("stall short_scoreboard, %", &scoreboard);
        seen.gate_evidence(symptom)
    })
}

pub(crate) fn barrier(seen: &Seen<'_>) -> Option<Symptom> {
    seen.stall("barrier", at::BARRIER_PCT)
}

pub(crate) fn tail(seen: &Seen<'_>) -> Option<Symptom> {
    let (waves, tail) = (
        seen.kernel.launch.waves.as_ref()?,
        seen.kernel.launch.tail_pct.as_ref()?,
    );
    (get(waves) > 1.0 && get(tail) >= at::TAIL_PCT).then(|| {
        Symptom::new(format!(
            "{:.2} waves leave {:.1} % of the last round empty",
            get(waves),
            get(tail)
        ))
        .show("waves", waves)
        .show("empty part, %", tail)
    })
}

pub(crate) fn dram_roof(seen: &Seen<'_>) -> Option<Symptom> {
    let dram = seen.kernel.sol.dram_pct.as_ref()?;
    let intensity = seen
        .kernel
        .roofline
        .as_ref()
        .and_then(|roofline| roofline.intensity.as_ref());
    (get(dram) >= at::DRAM_ROOF_PCT).then(|| {
        Symptom::new(format!("device memory runs at {:.1} % of its peak", get(dram)))
            .show("device memory, %", dram)
            .show_some("FLOP for each byte", intensity)
    })
}

pub(crate) fn occupancy(seen: &Seen<'_>) -> Option<Symptom> {
    let theoretical = seen.kernel.occupancy.theoretical_pct.as_ref()?;
    let eligible = seen.kernel.scheduler.eligible_warps.as_ref()?;
    (get(theoretical) <= at::OCCUPANCY_PCT && get(eligible) < at::ELIGIBLE_WARPS).then(|| {
        let limiter = seen.kernel.occupancy.limiter.join(" and ");
        let symptom = Symptom::new(format!(
            "{limiter} limit occupancy to {:.1} %, and a scheduler finds {:.2} warps",
            get(theoretical),
            get(eligible)
        ))
        .show("theoretical occupancy, %", theoretical)
        .show("eligible warps", eligible)
        .show_some("registers of a thread", seen.kernel.registers.as_ref());
        seen.gate_evidence(symptom)
    })
}

pub(crate) fn long_scoreboard(seen: &Seen<'_>) -> Option<Symptom> {
    seen.stall("long_scoreboard", at::LONG_SCOREBOARD_PCT)
}

pub(crate) fn no_tensor(seen: &Seen<'_>) -> Option<Symptom> {
    let (tensor, fma) = (seen.kernel.tensor_pct.as_ref()?, seen.kernel.fma_pct.as_ref()?);
    (seen.declared.is_matmul() && get(tensor) == 0.0 && get(fma) >= at::FMA_PCT).then(|| {
        Symptom::new(format!(
            "a matrix product runs on the FMA pipe ({:.1} %), none of it on tensor cores",
            get(fma)
        ))
        .show("FMA pipe, %", fma)
        .show("tensor pipe, %", tensor)
    })
}

pub(crate) fn compute_roof(seen: &Seen<'_>) -> Option<Symptom> {
    let sm = seen.kernel.sol.sm_pct.as_ref()?;
    (seen.kernel.bound == Some(Bound::Compute) && get(sm) >= at::COMPUTE_ROOF_PCT).then(|| {
        Symptom::new(format!("multiprocessors run at {:.1} % of their peak", get(sm)))
            .show("multiprocessors, %", sm)
    })
}
