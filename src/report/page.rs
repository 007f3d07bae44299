//! One self-contained HTML page: the command, the table, the picture.

/// Escapes text for HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A page that needs no network: the table as preformatted text, the figure as inline SVG.
pub fn html(title: &str, command: &str, table: &str, svg: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>body{{font-family:sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}}\
         pre{{overflow-x:auto;line-height:1.35}}svg{{max-width:100%;height:auto}}footer{{color:#666}}</style>\n\
         <h1>{title}</h1>\n<p><code>{command}</code></p>\n{svg}\n<pre>{table}</pre>\n\
         <footer>ceas-npu {version}</footer>\n</html>\n",
        title = escape(title),
        command = escape(command),
        table = escape(table),
        version = env!("CARGO_PKG_VERSION"),
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_cannot_become_markup() {
        let page = super::html("a<b", "ceas & co", "x < y", "<svg/>");
        assert!(page.contains("a&lt;b") && page.contains("ceas &amp; co") && page.contains("x &lt; y"));
    }
}
