//! Tables as OPA draws them: a frame of box characters, headings in the middle of their columns.

/// Draws rows under headings.
pub(crate) fn draw(headings: &[String], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).chain(headings.get(column));
        cells.map(|cell| cell.lines().map(|line| line.chars().count()).max().unwrap_or(0)).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let mut out = rule(&widths, ['┌', '┬', '┐']);
    line(&mut out, headings, &widths, centred);
    out.push_str(&rule(&widths, ['├', '┼', '┤']));
    for row in rows {
        line(&mut out, row, &widths, |cell, width| format!("{cell:width$}"));
    }
    out.push_str(&rule(&widths, ['└', '┴', '┘']));
    out
}

/// Draws rows of cells of several lines, with lines between the rows.
pub(crate) fn draw_cells(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).flat_map(|cell| cell.lines());
        cells.map(|line| line.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = rule(&widths, ['┌', '┬', '┐']);
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            out.push_str(&rule(&widths, ['├', '┼', '┤']));
        }
        let height = row.iter().map(|cell| cell.lines().count()).max().unwrap_or_default().max(1);
        for number in 0..height {
            let cells: Vec<String> =
                row.iter().map(|cell| cell.lines().nth(number).unwrap_or_default().to_owned()).collect();
            line(&mut out, &cells, &widths, |cell, width| format!("{cell:width$}"));
        }
    }
    out.push_str(&rule(&widths, ['└', '┴', '┘']));
    out
}

fn rule(widths: &[usize], [left, between, right]: [char; 3]) -> String {
    let parts: Vec<String> = widths.iter().map(|width| "─".repeat(width + 2)).collect();
    format!("{left}{}{right}\n", parts.join(&between.to_string()))
}

fn line(out: &mut String, cells: &[String], widths: &[usize], place: impl Fn(&str, usize) -> String) {
    out.push('│');
    for (cell, width) in cells.iter().zip(widths) {
        out.push_str(&format!(" {} │", place(cell, *width)));
    }
    out.push('\n');
}

fn centred(cell: &str, width: usize) -> String {
    let free = width.saturating_sub(cell.chars().count());
    let left = free / 2;
    format!("{}{cell}{}", " ".repeat(left), " ".repeat(free - left))
}

#[cfg(test)]
mod tests {
    #[test]
    fn headings_stand_in_the_middle() {
        let text = super::draw(&["x".to_owned()], &[vec!["abcd".to_owned()], vec!["1".to_owned()]]);
        assert_eq!(text, "┌──────┐\n│  x   │\n├──────┤\n│ abcd │\n│ 1    │\n└──────┘\n");
    }
}
