//! Volume numbers of the catalogue.

fn value(digit: char) -> Option<u16> {
    Some(match digit {
        'I' => 1,
        'V' => 5,
        'X' => 10,
        'L' => 50,
        'C' => 100,
        'D' => 500,
        'M' => 1000,
        _ => return None,
    })
}

/// Reads a Roman numeral.
pub fn from_roman(text: &str) -> Option<u16> {
    let digits: Option<Vec<u16>> = text.chars().map(value).collect();
    let digits = digits?;
    let mut total: i32 = 0;
    for (at, digit) in digits.iter().enumerate() {
        let larger_follows = digits.get(at + 1).is_some_and(|next| next > digit);
        total += if larger_follows { -i32::from(*digit) } else { i32::from(*digit) };
    }
    u16::try_from(total).ok()
}
