"""Keys and URLs, what describes the files behind them, and which of them a pattern or a copy means."""
