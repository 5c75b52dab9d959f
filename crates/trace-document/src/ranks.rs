//! Which ranks are there, and which was asked for.

use torch_trace::TraceFile;

use crate::error::RunError;

/// Which ranks are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RankChoice {
    /// The lowest that is there.
    Lowest,
    /// This one.
    Only(u32),
    /// All of them.
    All,
}

impl RankChoice {
    /// Reads `--rank`: a number, or the word that the tool knows for its `other` choice.
    ///
    /// # Errors
    /// [`RunError::Rank`]
    pub fn parse(text: &str, word: &'static str, other: Self) -> Result<Self, RunError> {
        if text == word {
            return Ok(other);
        }
        text.parse().map(Self::Only).map_err(|_| RunError::Rank {
            text: contracts::text::clean(text, 60),
            word,
        })
    }
}

/// The ranks that the files name, each once, lowest first.
pub(crate) fn ranks_named(files: &[TraceFile]) -> Vec<u32> {
    let mut ranks: Vec<u32> = files.iter().filter_map(|file| file.rank).collect();
    ranks.sort_unstable();
    ranks.dedup();
    ranks
}

/// Of each file, whether it is of the rank that was asked for. Files that name no rank are the lowest where none does.
///
/// # Errors
/// [`RunError::NoSuchRank`]
pub fn of_rank(choice: RankChoice, files: &[TraceFile]) -> Result<Vec<bool>, RunError> {
    let ranks = ranks_named(files);
    let wanted = match choice {
        RankChoice::All => return Ok(vec![true; files.len()]),
        RankChoice::Lowest => ranks.first().copied(),
        RankChoice::Only(rank) if ranks.contains(&rank) => Some(rank),
        RankChoice::Only(rank) => {
            let found = match ranks.as_slice() {
                [] => "none that names its rank".to_owned(),
                ranks => ranks.iter().map(u32::to_string).collect::<Vec<_>>().join(", "),
            };
            return Err(RunError::NoSuchRank { rank, found });
        }
    };
    Ok(files.iter().map(|file| file.rank == wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rank_is_a_number_or_the_word_of_the_tool() {
        let parse = |text| RankChoice::parse(text, "all", RankChoice::All);
        assert_eq!(parse("3").ok(), Some(RankChoice::Only(3)));
        assert_eq!(parse("all").ok(), Some(RankChoice::All));
        let error = parse("slowest").expect_err("no word of this tool");
        assert_eq!(
            error.to_string(),
            "read --rank `slowest`: it is a number or `all`"
        );
    }
}
