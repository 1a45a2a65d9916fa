"""What becomes of a trained trial: streaming, inference, models, export."""
