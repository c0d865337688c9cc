// A source of random numbers whose next number is known.

Math.random = () => 0.5;
