use volumes::{from_roman, to_roman};

#[test]
fn writes() {
    assert_eq!(to_roman(1994).as_deref(), Some("MCMXCIV"));
    assert_eq!(to_roman(1).as_deref(), Some("I"));
    assert_eq!(to_roman(3999).as_deref(), Some("MMMCMXCIX"));
}

#[test]
fn writes_within_limits() {
    assert_eq!(to_roman(0), None);
    assert_eq!(to_roman(4000), None);
}

#[test]
fn reads_what_it_writes() {
    for number in 1..4000 {
        let text = to_roman(number).unwrap();
        assert_eq!(from_roman(&text), Some(number));
        assert_eq!(from_roman(&text.to_lowercase()), Some(number));
    }
}

#[test]
fn refuses_the_rest() {
    for text in ["", "IIX", "VV", "IIII", "IC", "MMMM", "X I", "Z"] {
        assert_eq!(from_roman(text), None, "{text}");
    }
}
