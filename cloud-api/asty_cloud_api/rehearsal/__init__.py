"""What planning and forecast are worth: engines on published instances, a backtest of the forecast, a month of a town by both ways."""
