"""K trials as one program: steppers, planner, memory."""
