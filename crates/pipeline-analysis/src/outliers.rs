//! Values that are far from the others of their kind, by median and median deviation: one of them moves neither.

/// Values below which nothing stands out.
const LEAST: usize = 4;
/// Times the median deviation, as a standard deviation, that a value must be away.
const DEVIATIONS: f64 = 5.0;
/// Standard deviations in a median deviation, of values that scatter normally.
const SIGMA: f64 = 1.4826;
/// More than one in so many values that are far away are no outliers but a level of their own.
const ONE_IN: usize = 8;
/// Ratio to the median, either way, that is worth a word.
const RATIO: f64 = 1.5;

/// The middle value, of an even number the lower; `None` without values.
pub(crate) fn median(values: &[i64]) -> Option<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

/// Of each value that is an outlier its ratio to the median.
pub(crate) fn outliers(values: &[i64]) -> Vec<Option<f64>> {
    let away = |middle: i64| -> Vec<i64> {
        let away = values.iter().map(|value| value.abs_diff(middle));
        away.map(|away| i64::try_from(away).unwrap_or(i64::MAX)).collect()
    };
    let Some(middle) = median(values).filter(|middle| *middle > 0 && values.len() >= LEAST) else {
        return vec![None; values.len()];
    };
    let away = away(middle);
    let limit = DEVIATIONS * SIGMA * median(&away).unwrap_or(0) as f64;
    let found: Vec<Option<f64>> = values
        .iter()
        .zip(away)
        .map(|(value, away)| {
            let ratio = *value as f64 / middle as f64;
            (away as f64 > limit && !(1.0 / RATIO..=RATIO).contains(&ratio)).then_some(ratio)
        })
        .collect();
    let many = found.iter().flatten().count() > (values.len() / ONE_IN).max(1);
    if many { vec![None; values.len()] } else { found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_far_value_stands_out_and_scatter_does_not() {
        let found = outliers(&[1000, 100, 104, 98, 101, 99]);
        assert_eq!(found, [Some(10.0), None, None, None, None, None]);
        assert_eq!(outliers(&[10, 100, 100, 100, 100])[0], Some(0.1));
        // Values that scatter widely, and values that are near each other.
        assert_eq!(outliers(&[100, 200, 300, 400, 500, 600]), [None; 6]);
        assert_eq!(outliers(&[100, 100, 100, 140]), [None; 4]);
        // Two levels.
        assert_eq!(outliers(&[100, 100, 100, 100, 500, 500]), [None; 6]);
        // Too few to say which is the odd one.
        assert_eq!(outliers(&[100, 100, 1000]), [None; 3]);
        assert_eq!(outliers(&[0, 0, 0, 0, 9]), [None; 5]);
        assert_eq!(outliers(&[]), []);
    }

    #[test]
    fn the_middle_of_an_even_number_is_the_lower() {
        assert_eq!(median(&[4, 1, 3, 2]), Some(2));
        assert_eq!(median(&[]), None);
    }
}
