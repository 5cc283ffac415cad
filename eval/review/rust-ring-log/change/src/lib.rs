//! A log in memory that keeps its newest lines.

pub struct RingLog {
    lines: Vec<String>,
    next: usize,
}

impl RingLog {
    /// Panics when the capacity does not fit into memory.
    pub fn new(capacity: u32) -> Self {
        let capacity = usize::try_from(capacity).expect("capacity fits into memory");
        RingLog { lines: vec![String::new(); capacity], next: 0 }
    }

    pub fn push(&mut self, line: &str) {
        let at = self.next % self.lines.len();
        self.lines[at] = line.to_string();
        self.next += 1;
    }

    /// The lines, shortened for a terminal.
    pub fn short(&self) -> Vec<&str> {
        self.lines.iter().map(|line| &line[..80]).collect()
    }
}
