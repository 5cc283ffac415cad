//! Volume numbers of the catalogue.

const DIGITS: [(u16, &str); 13] = [
    (1000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
];

/// Writes a number from 1 to 3999.
pub fn to_roman(number: u16) -> Option<String> {
    if !(1..=3999).contains(&number) {
        return None;
    }
    let mut rest = number;
    let mut text = String::new();
    for (value, digits) in DIGITS {
        while rest >= value {
            text.push_str(digits);
            rest -= value;
        }
    }
    Some(text)
}

/// Reads a Roman numeral as `to_roman` writes it, in capitals or small letters.
pub fn from_roman(text: &str) -> Option<u16> {
    let capitals = text.to_ascii_uppercase();
    let mut rest = capitals.as_str();
    let mut number: u16 = 0;
    for (value, digits) in DIGITS {
        while let Some(shorter) = rest.strip_prefix(digits) {
            number = number.checked_add(value)?;
            rest = shorter;
        }
    }
    // Reading is generous about repeated digits; writing is not.
    (to_roman(number)? == capitals).then_some(number)
}
