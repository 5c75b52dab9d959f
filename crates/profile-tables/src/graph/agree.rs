//! Two layers of one model, side by side: which kernels stand for each other. Only what every best alignment says counts;
//! where two say different things, nobody knows.
//!
//! ```text
//! graph   norm gemm      rope attention gemm norm gemm act gemm      a kernel of the same name: 3
//! eager   norm gemm cast rope attention gemm norm gemm act gemm      of the same family: 2
//! ```

use torch_trace::Family;

/// A kernel of a layer, as far as it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    /// Whole name.
    pub(super) name: &'a str,
    /// Its family.
    pub(super) family: Family,
}

/// Pairs of kernels that are looked at, at most: a layer has some dozens of kernels.
const MOST_PAIRS: usize = 1 << 20;

/// Places in `graph` and `eager` that every best alignment of the two puts together.
pub(super) fn agreed(graph: &[Token<'_>], eager: &[Token<'_>]) -> Vec<(usize, usize)> {
    let (rows, columns) = (graph.len(), eager.len());
    if (rows + 1).saturating_mul(columns + 1) > MOST_PAIRS {
        return Vec::new();
    }
    let width = columns + 1;
    // Best score of what lies before, and of what lies from here on.
    let mut before = vec![0_u32; (rows + 1) * width];
    let mut after = before.clone();
    for row in 0..rows {
        for column in 0..columns {
            let paired = before[row * width + column] + score(graph[row], eager[column]);
            let skipped = before[row * width + column + 1].max(before[(row + 1) * width + column]);
            before[(row + 1) * width + column + 1] = paired.max(skipped);
        }
    }
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            let paired = after[(row + 1) * width + column + 1] + score(graph[row], eager[column]);
            let skipped = after[row * width + column + 1].max(after[(row + 1) * width + column]);
            after[row * width + column] = paired.max(skipped);
        }
    }
    let best = after[0];
    let sole = |row: usize| {
        let skippable = (0..=columns)
            .any(|column| before[row * width + column] + after[(row + 1) * width + column] == best);
        let mut paired = (0..columns).filter(|column| {
            let score = score(graph[row], eager[*column]);
            score > 0 && before[row * width + column] + score + after[(row + 1) * width + column + 1] == best
        });
        let first = paired.next()?;
        (!skippable && paired.next().is_none()).then_some((row, first))
    };
    (0..rows).filter_map(sole).collect()
}

fn score(a: Token<'_>, b: Token<'_>) -> u32 {
    // These families hold all sorts of things: only the name tells them apart.
    let loose = matches!(
        a.family,
        Family::Elementwise | Family::Memcpy | Family::Memset | Family::Other
    );
    match (a.name == b.name, a.family == b.family) {
        (true, _) => 3,
        (_, true) if !loose => 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn layer(text: &str) -> Vec<Token<'_>> {
        text.split_whitespace()
            .map(|name| Token {
                name,
                family: match name.as_bytes()[0] {
                    b'g' => Family::Gemm,
                    b'n' => Family::Norm,
                    b'a' => Family::Attention,
                    _ => Family::Elementwise,
                },
            })
            .collect()
    }

    #[test]
    fn kernels_of_one_family_stand_for_each_other_in_their_order() {
        let pairs = agreed(&layer("n1 g1 a1 g2 n1 g3 g4"), &layer("n1 g9 x a2 g8 n1 g7 g6"));
        assert_eq!(pairs, [(0, 0), (1, 1), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7)]);
    }

    #[test]
    fn what_could_be_either_of_two_is_neither() {
        // One of the two products of the graph has no counterpart: nobody knows which.
        assert_eq!(
            agreed(&layer("n1 g1 g2 a1"), &layer("n1 g9 a1")),
            [(0, 0), (3, 2)]
        );
        // The same, with a name that settles it.
        assert_eq!(
            agreed(&layer("n1 g1 g9 a1"), &layer("n1 g9 a1")),
            [(0, 0), (2, 1), (3, 2)]
        );
        // Copies and sums are told apart by their names only.
        assert_eq!(agreed(&layer("x"), &layer("y")), []);
    }

    proptest! {
        #[test]
        fn pairs_keep_the_order_of_both(a in "([gnax][1-3] ){0,9}", b in "([gnax][1-3] ){0,9}") {
            let pairs = agreed(&layer(&a), &layer(&b));
            prop_assert!(pairs.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
        }
    }
}
